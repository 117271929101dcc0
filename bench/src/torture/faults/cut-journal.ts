import type { Scale } from '../../bench.ts'
import { atMost, type Figure, figure } from '../../figure.ts'
import { type Fault, type FaultRun, type Round, wordsOf } from '../fault.ts'
import { JournalCopy } from '../journal-copy.ts'
import { faultIn, lastOf, readJournal, tasksKnown } from '../journal-reading.ts'
import { type JournalSample, sampleJournal, shapes } from '../journal-sample.ts'
import { framesOf } from '../log-frames.ts'
import { sample, seededRandom, wholeBetween } from '../random.ts'
import { serveCopy } from '../served-copy.ts'

const cuts = {
  /**
   * The last bytes, one in `stride` a round and each in its turn: `stride` rounds cut at every byte. Then so many cuts
   * anywhere in the log, in the file, and with a broker on it.
   */
  full: { lastBytes: 16_408, stride: 20, log: 60, file: 60, served: 1 },
  quick: { lastBytes: 40, stride: 1, log: 60, file: 40, served: 1 },
}

/** The end of the log, or of the file, is missing from some byte on. */
export const cutJournal: Fault = {
  name: 'cut-journal',
  about: 'the end of a killed broker’s journal cut off, at every byte',
  begin: async (scale) => new CutJournalRun(scale),
}

class CutJournalRun implements FaultRun {
  readonly configuration
  readonly #cuts: (typeof cuts)[Scale]
  #logCuts = 0
  #fileCuts = 0
  #refused = 0
  #prefixes = 0
  #served = 0
  #batchesLost = 0
  #bad = 0

  constructor(scale: Scale) {
    this.#cuts = cuts[scale]
    const { lastBytes, stride, log, file, served } = this.#cuts
    this.configuration = {
      journals:
        'of a broker (strict) under load, killed: all in the log; half in the file; log begun anew, batches discarded',
      'cuts of the log, each journal': `at one in ${stride} of the last ${lastBytes} bytes, without the mark of the end, so that ${stride} rounds cut at each; ${log} anywhere, half of them at frame boundaries, with and without the mark`,
      'cuts of the file, each journal': file,
      'copies served by a broker, each journal': served,
    }
  }

  async run(round: number, seed: number): Promise<Round> {
    const random = seededRandom(seed)
    const shape = shapes[round % shapes.length]!
    const journal = await sampleJournal(shape, random)
    using copy = new JournalCopy()
    const findings = [...journal.missing]
    const { log, file } = journal.files
    const frames = framesOf(log)
    const end = frames.at(-1)?.end ?? 0
    const look = (what: string, logBytes: number, fileBytes: number, hasMark: boolean) =>
      findings.push(...this.#cut(`${shape}, ${what}`, journal, copy, logBytes, fileBytes, hasMark))

    const { lastBytes, stride } = this.#cuts
    const atTheEnd: number[] = []
    for (let left = 1 + (round % stride); left <= Math.min(lastBytes, end); left += stride) atTheEnd.push(end - left)
    for (const bytes of atTheEnd) look(`log of ${bytes} bytes`, bytes, file.length, false)
    const boundaries = frames.flatMap(({ start }) => [start - 1, start, start + 1, start + 23, start + 24, start + 25])
    const elsewhere = [
      ...sample(boundaries, this.#cuts.log / 2, random),
      ...Array.from({ length: this.#cuts.log / 2 }, () => wholeBetween(random, 0, end)),
    ]
    for (const bytes of elsewhere) {
      for (const hasMark of [true, false])
        look(`log of ${bytes} bytes${hasMark ? ' with the mark' : ''}`, bytes, file.length, hasMark)
    }
    for (let count = 0; count < this.#cuts.file; count++) {
      const anywhere = wholeBetween(random, 0, file.length)
      const bytes = random() < 0.5 ? anywhere : Math.max(0, (anywhere & ~16_383) + wholeBetween(random, -1, 2))
      look(`file of ${bytes} bytes`, log.length, bytes, random() < 0.5)
      this.#fileCuts++
    }
    for (let count = 0; count < this.#cuts.served; count++)
      findings.push(...(await this.#serve(journal, copy, wholeBetween(random, 0, end))))
    const logCuts = atTheEnd.length + 2 * elsewhere.length
    this.#logCuts += logCuts
    this.#bad += findings.length
    return {
      summary: `${shape}: ${journal.truth.length} batches, ${log.length} bytes of log, ${file.length} of file; ${findings.length} bad of ${logCuts + this.#cuts.file} cuts`,
      findings: findings.slice(0, 5),
    }
  }

  figures(): Figure[] {
    return [
      figure('cuts of the log', 'cuts', [this.#logCuts]),
      figure('cuts of the file', 'cuts', [this.#fileCuts]),
      figure('refused as damaged', 'cuts', [this.#refused]),
      figure('opened with all before the cut', 'cuts', [this.#prefixes]),
      figure('batches that these had lost', 'batches', [this.#batchesLost]),
      figure('served by a broker', 'journals', [this.#served]),
      figure('anything else', 'cuts', [this.#bad], atMost(0)),
    ]
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  /** Opens a cut copy, and says what is wrong with what came of it. */
  #cut(
    what: string,
    { files, truth }: JournalSample,
    copy: JournalCopy,
    logBytes: number,
    fileBytes: number,
    hasMark: boolean,
  ): string[] {
    const log = files.log.subarray(0, logBytes)
    copy.lay({ file: files.file.subarray(0, fileBytes), log, mark: hasMark ? files.mark : undefined })
    try {
      const reading = readJournal(copy.path)
      if (reading.refused !== undefined) {
        this.#refused++
        return []
      }
      this.#prefixes++
      const lost = truth.at(-1)!.batch - lastOf(reading)
      this.#batchesLost += Math.max(0, lost)
      const wrong = faultIn(reading, truth)
      if (wrong !== undefined) return [`${what}: ${wrong}`]
      const cutOff = framesOf(files.log).filter(({ commits, end }) => commits && end > logBytes).length
      if (lost > cutOff) return [`${what}: ${lost} batches are missing, where ${cutOff} transactions were cut off`]
      if (hasMark && lost > 1) return [`${what}: ${lost} batches are missing, and nothing was said`]
      return []
    } catch (error) {
      return [`${what}: ${wordsOf(error)}`]
    }
  }

  /** A broker on a cut copy knows what was accepted before the cut and nothing else, and serves each task its own body. */
  async #serve({ files, truth, told, keys }: JournalSample, copy: JournalCopy, logBytes: number): Promise<string[]> {
    const cut = { ...files, log: files.log.subarray(0, logBytes), mark: undefined }
    copy.lay(cut)
    const reading = readJournal(copy.path)
    copy.lay(files)
    const known = tasksKnown(copy.path, lastOf(reading))
    copy.lay(cut)
    const { damage, wrong, recorded } = await serveCopy(
      copy.path,
      keys,
      told.map(({ id }) => id),
    )
    this.#served++
    if (damage !== undefined || reading.refused !== undefined)
      return damage === undefined ? ['a broker took a journal that is refused'] : []
    const findings = [...wrong]
    for (const { id } of told) {
      const outcome = recorded.get(id)
      if (known.has(id) && outcome === undefined) findings.push(`log of ${logBytes} bytes: task ${id} is lost`)
      // Where batches were discarded the truth does not tell what was forgotten in them.
      if (!known.has(id) && outcome !== undefined && truth[0]!.batch === 1)
        findings.push(`log of ${logBytes} bytes: task ${id} was cut off, and is ${outcome}`)
    }
    return findings.slice(0, 5)
  }
}
