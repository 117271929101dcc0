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
  /** Names the figure of what duplicates may not be, and tells of a round's duplicates those that are that. */
  unexplained: { name: string; of(round: LoadedRound, loaded: LoadedQueue): number | Promise<number> }
  /** Names the time from the disruption's begin until everybody could act again; left out where it says nothing. */
  away?: string
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
  readonly #unexplained: number[] = []
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
    const unexplained = await this.#fault.unexplained.of(round, this.#loaded)
    const { accepted, lost, changed, dead, duplicates, live } = round
    this.#accepted += accepted
    this.#lost += lost.length
    this.#changed += changed.length
    this.#dead += dead.length
    this.#live.push(live)
    this.#duplicates.push(duplicates)
    this.#unexplained.push(unexplained)
    this.#awayMs.push(awayMs)
    const findings = dead.slice(0, idsNamed)
    if (lost.length > 0) findings.push(`${lost.length} lost: ${lost.slice(0, idsNamed)}`)
    if (changed.length > 0) findings.push(`${changed.length} changed: ${changed.slice(0, idsNamed)}`)
    if (unexplained > 0) findings.push(`${this.#fault.unexplained.name}: ${unexplained}`)
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
    const { unexplained, away } = this.#fault
    const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0)
    return [
      figure('tasks accepted', 'tasks', [this.#accepted]),
      figure('accepted tasks lost', 'tasks', [this.#lost], atMost(0)),
      figure('outcomes recorded twice', 'tasks', [this.#changed], atMost(0)),
      figure('dead letters', 'tasks', [this.#dead], atMost(0)),
      figure('leases live', 'leases', this.#live),
      figure('duplicate deliveries', 'tasks', this.#duplicates),
      figure(unexplained.name, 'rounds', [sum(this.#unexplained.map((count) => Number(count > 0)))], atMost(0)),
      ...(away === undefined ? [] : [figure(away, 'ms', this.#awayMs)]),
    ]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#loaded[Symbol.asyncDispose]()
  }
}
