import type { Scale } from '../bench.ts'
import { atMost, type Figure, figure } from '../figure.ts'
import type { Fault, FaultRun, Round } from './fault.ts'
import { LoadedQueue, type LoadedRound, type LoadSettings } from './loaded-queue.ts'
import { seededRandom } from './random.ts'
import type { Disruption } from './verdict.ts'

/** A fault of processes under load. */
export interface LoadedFault {
  name: string
  about: string
  settings: Record<Scale, LoadSettings>
  disrupt(loaded: LoadedQueue, random: () => number): Promise<Disruption>
  /** What may not be besides, each told from what a round shows. */
  checks: readonly RoundCheck[]
  /** Names the time from the disruption's begin until everybody could act again; left out where it says nothing. */
  away?: string
}

/** Counts the cases of something that no round may have. */
export interface RoundCheck {
  /** That of the figure, which counts the rounds that had one. */
  name: string
  of(round: LoadedRound): number
}

/** A few ids are enough to find the others. */
const idsNamed = 3

/** Loads a queue, disrupts it in each round, and counts what a disruption must not do. */
export function loadedFault(fault: LoadedFault): Fault {
  return {
    name: fault.name,
    about: fault.about,
    async begin(scale) {
      return new LoadedFaultRun(fault, await LoadedQueue.start(fault.settings[scale]))
    },
  }
}

class LoadedFaultRun implements FaultRun {
  readonly configuration
  readonly #fault: LoadedFault
  readonly #loaded: LoadedQueue
  readonly #live: number[] = []
  readonly #duplicates: number[] = []
  readonly #failed = new Map<RoundCheck, number>()
  readonly #awayMs: number[] = []
  #accepted = 0
  #lost = 0
  #changed = 0
  #dead = 0
  #lastSeed = 0

  constructor(fault: LoadedFault, loaded: LoadedQueue) {
    this.#fault = fault
    this.#loaded = loaded
    this.configuration = loaded.configuration
  }

  async run(_: number, seed: number): Promise<Round> {
    const random = seededRandom(seed)
    this.#lastSeed = seed
    let awayMs = 0
    const round = await this.#loaded.round(random, async () => {
      const fromMs = performance.now()
      const disruption = await this.#fault.disrupt(this.#loaded, random)
      awayMs = performance.now() - fromMs
      return disruption
    })
    const { accepted, lost, changed, dead, duplicates, live } = round
    this.#accepted += accepted
    this.#lost += lost.length
    this.#changed += changed.length
    this.#dead += dead.length
    this.#live.push(live)
    this.#duplicates.push(duplicates)
    this.#awayMs.push(awayMs)
    const findings = dead.slice(0, idsNamed)
    if (lost.length > 0) findings.push(`${lost.length} lost: ${lost.slice(0, idsNamed)}`)
    if (changed.length > 0) findings.push(`${changed.length} changed: ${changed.slice(0, idsNamed)}`)
    for (const check of this.#fault.checks) {
      const cases = check.of(round)
      if (cases === 0) continue
      this.#failed.set(check, (this.#failed.get(check) ?? 0) + 1)
      findings.push(`${check.name}: ${cases}`)
    }
    return {
      summary: `${accepted} accepted, ${lost.length} lost, ${changed.length} changed, ${duplicates} duplicates, ${live} leases live`,
      findings,
    }
  }

  async end(): Promise<string[]> {
    const { asked, changed } = await this.#loaded.recheck(this.#lastSeed)
    Object.assign(this.configuration, { 'asked again after a last restart': asked })
    this.#changed += changed.length
    return changed.length > 0 ? [`${changed.length} changed later: ${changed.slice(0, idsNamed)}`] : []
  }

  figures(): Figure[] {
    const { checks, away } = this.#fault
    return [
      figure('tasks accepted', 'tasks', [this.#accepted]),
      figure('accepted tasks lost', 'tasks', [this.#lost], atMost(0)),
      figure('outcomes recorded twice', 'tasks', [this.#changed], atMost(0)),
      figure('dead letters', 'tasks', [this.#dead], atMost(0)),
      figure('leases live', 'leases', this.#live),
      figure('duplicate deliveries', 'tasks', this.#duplicates),
      ...checks.map((check) => figure(check.name, 'rounds', [this.#failed.get(check) ?? 0], atMost(0))),
      ...(away === undefined ? [] : [figure(away, 'ms', this.#awayMs)]),
    ]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#loaded[Symbol.asyncDispose]()
  }
}
