import type { Scale } from '../../bench.ts'
import { atMost, type Figure, figure } from '../../figure.ts'
import { type Fault, type FaultRun, type Round, wordsOf } from '../fault.ts'
import { JournalCopy, type JournalFiles } from '../journal-copy.ts'
import { appendTo, faultIn, lastOf, type Reading, readJournal } from '../journal-reading.ts'
import { type JournalSample, sampleJournal, shapes } from '../journal-sample.ts'
import { framesOf } from '../log-frames.ts'
import { seededRandom, wholeBetween } from '../random.ts'
import { serveCopy } from '../served-copy.ts'

const counts = { full: { flips: 300, served: 3 }, quick: { flips: 120, served: 2 } }
const pageBytes = 16_384
/** Where pages keep their headers, and the first of their cells’ addresses. */
const structureBytes = 48

type Spoilt = 'file' | 'log' | 'mark'

/** One bit of a journal has another value than was written. */
export const bitFlips: Fault = {
  name: 'bit-flips',
  about: 'single bits of a killed broker’s journal flipped: file, log, and mark of its end',
  begin: async (scale) => new BitFlipsRun(scale),
}

interface Flip {
  of: Spoilt
  byte: number
  bit: number
}

class BitFlipsRun implements FaultRun {
  readonly configuration
  readonly #counts: (typeof counts)[Scale]
  readonly #flips: Record<Spoilt, number> = { file: 0, log: 0, mark: 0 }
  #refused = 0
  #named = 0
  #harmless = 0
  #stopped = 0
  #served = 0
  #refusedServing = 0
  #bad = 0

  constructor(scale: Scale) {
    this.#counts = counts[scale]
    this.configuration = {
      journals:
        'of a broker (strict) under load, killed: all in the log; half in the file; log begun anew, batches discarded',
      'flips, each journal': `${this.#counts.flips}: half anywhere, half in the headers of pages and frames`,
      'after each flip':
        'opened, every batch and body read; where nothing was refused, 20 batches appended, then read again',
      'flipped copies served by a broker, each journal': this.#counts.served,
    }
  }

  async run(round: number, seed: number): Promise<Round> {
    const random = seededRandom(seed)
    const shape = shapes[round % shapes.length]!
    const journal = await sampleJournal(shape, random)
    using copy = new JournalCopy()
    const findings = [...journal.missing]
    for (let count = 0; count < this.#counts.flips; count++) {
      const flip = drawFlip(journal.files, random)
      this.#flips[flip.of]++
      const wrong = this.#read(journal, copy, flip)
      if (wrong !== undefined)
        findings.push(`${shape}, bit ${flip.bit} of byte ${flip.byte} of the ${flip.of}: ${wrong}`)
    }
    for (let count = 0; count < this.#counts.served; count++) {
      const flip = drawFlip(journal.files, random)
      this.#served++
      for (const wrong of await this.#serve(journal, copy, flip))
        findings.push(`${shape}, served, bit ${flip.bit} of byte ${flip.byte} of the ${flip.of}: ${wrong}`)
    }
    this.#bad += findings.length
    return {
      summary: `${shape}: ${journal.truth.length} batches; ${findings.length} bad of ${this.#counts.flips} flips`,
      findings: findings.slice(0, 10),
    }
  }

  figures(): Figure[] {
    const { file, log, mark } = this.#flips
    return [
      figure('flips in the file', 'flips', [file]),
      figure('flips in the log', 'flips', [log]),
      figure('flips in the mark of the end', 'flips', [mark]),
      figure('refused as damaged', 'flips', [this.#refused]),
      figure('opened, damaged bodies refused', 'flips', [this.#named]),
      figure('harmless to all that was stored', 'flips', [this.#harmless]),
      figure('of these stopped as damaged by an append', 'flips', [this.#stopped]),
      figure('served by a broker', 'journals', [this.#served]),
      figure('of these refused or stopped as damaged', 'journals', [this.#refusedServing]),
      figure('anything else', 'flips', [this.#bad], atMost(0)),
    ]
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #read({ files, truth }: JournalSample, copy: JournalCopy, flip: Flip): string | undefined {
    copy.lay(flipped(files, flip))
    try {
      const reading = readJournal(copy.path)
      if (reading.refused !== undefined) {
        this.#refused++
        return undefined
      }
      const wrong = wrongIn(reading, truth)
      if (wrong !== undefined) return wrong
      if (reading.batches.some(({ bodies }) => bodies === undefined)) this.#named++
      else this.#harmless++
      // What a later write does to what the flip has left.
      const bodies = Array.from({ length: 20 }, (_, index) => new Uint8Array(index * 2000).fill(index))
      const longer = [...truth.slice(0, truth.findIndex(({ batch }) => batch === lastOf(reading)) + 1)]
      const appended = appendTo(copy.path, bodies)
      if (appended.length < bodies.length) this.#stopped++
      longer.push(...appended)
      const again = readJournal(copy.path)
      if (again.refused !== undefined) return `after an append: ${again.refused}`
      return wrongIn(again, longer)
    } catch (error) {
      return wordsOf(error)
    }
  }

  /** A broker on a flipped copy serves each task its own body and tells each outcome as before, or refuses. */
  async #serve({ files, told, keys }: JournalSample, copy: JournalCopy, flip: Flip): Promise<string[]> {
    copy.lay(flipped(files, flip))
    try {
      const ids = told.map(({ id }) => id)
      const { damage, wrong, recorded } = await serveCopy(copy.path, keys, ids)
      if (damage !== undefined) {
        this.#refusedServing++
        return [...wrong]
      }
      const changed = told.filter(({ id, outcome }) => {
        const found = recorded.get(id)
        // A result may have been forgotten since; another one may not stand in its place.
        return outcome === undefined ? found === undefined : found !== undefined && found !== outcome
      })
      return [...wrong, ...changed.map(({ id, outcome }) => `task ${id} was ${outcome}, and is ${recorded.get(id)}`)]
    } catch (error) {
      return [wordsOf(error)]
    }
  }
}

/** Nothing acknowledged is missing: what the mark does not tell of was not acknowledged, and is one batch at most. */
function wrongIn(reading: Reading, truth: JournalSample['truth']): string | undefined {
  const lost = truth.at(-1)!.batch - lastOf(reading)
  return lost > 1 ? `${lost} batches are missing at the end, and nothing was said` : faultIn(reading, truth)
}

function drawFlip(files: JournalFiles, random: () => number): Flip {
  const draw = random()
  const bit = wholeBetween(random, 0, 8)
  if (draw < 0.01 && files.mark) return { of: 'mark', byte: wholeBetween(random, 0, files.mark.length), bit }
  const frames = framesOf(files.log)
  const of = draw < 0.5 || frames.length === 0 ? 'file' : 'log'
  const inStructure = random() < 0.5
  if (of === 'file') {
    const page = wholeBetween(random, 0, files.file.length / pageBytes) * pageBytes
    return {
      of,
      byte: inStructure ? page + wholeBetween(random, 0, structureBytes) : wholeBetween(random, 0, files.file.length),
      bit,
    }
  }
  const end = frames.at(-1)!.end
  // The header of the log itself is short and weighty: it gets its share.
  const start = random() < 0.1 ? 0 : frames[wholeBetween(random, 0, frames.length)]!.start
  return { of, byte: inStructure ? start + wholeBetween(random, 0, structureBytes) : wholeBetween(random, 0, end), bit }
}

function flipped(files: JournalFiles, { of, byte, bit }: Flip): JournalFiles {
  const bytes = Uint8Array.from(files[of]!)
  bytes[byte]! ^= 1 << bit
  return { ...files, [of]: bytes }
}
