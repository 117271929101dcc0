import type { Checker, Observation, Surroundings, Violate } from '../observation.ts'
import { Calm } from './calm.ts'
import { boundsOf, longestOf } from './population.ts'
import type { Sources } from './sources.ts'

/** How many batches that nobody needs may remain. They are discarded some hundreds at a time. */
const NEEDLESS_MAX = 512
const SLACK_MS = 2000

/** The journal does not keep growing with batches older than those of the tasks that are held. */
export class Discarding implements Checker {
  readonly rule = 'HOST-15'
  readonly #sources: Sources
  readonly #calm = new Calm()
  readonly #patienceMs: number
  /** The batch in which a task was stored, or an earlier one if that is unknown. The bodies of held tasks are there. */
  readonly #batches = new Map<string, number>()
  #before = 1
  #sinceMs: number | undefined

  constructor(sources: Sources) {
    this.#sources = sources
    const { journal } = sources.scenario
    this.#patienceMs = 3 * (boundsOf(sources.scenario).host.compactEveryMs + longestOf(journal.appendMs)) + SLACK_MS
  }

  see(observation: Observation, _: Surroundings, violate: Violate): void {
    const { chronicle } = this.#sources
    this.#calm.see(observation)
    const steps = chronicle.see(observation)
    if (chronicle.isRetold) this.#batches.clear()
    const batch = observation.type === 'appended' ? observation.batch : this.#before
    for (const { fact } of steps) {
      if (fact.type === 'taskAccepted' || fact.type === 'taskRestated') this.#batches.set(fact.id, batch)
      else if (fact.type === 'taskForgotten') this.#batches.delete(fact.id)
    }
    if (observation.type === 'discarded') this.#before = Math.max(this.#before, observation.before)
    else if (observation.type === 'recovered') this.#before = observation.firstBatch
    else if (observation.type === 'appended') this.#judge(observation.atMs, observation.batch, violate)
  }

  #judge(nowMs: number, newest: number, violate: Violate): void {
    let needed = newest
    // Most of the time there is far less than would need a look.
    if (newest - this.#before > NEEDLESS_MAX)
      for (const batch of this.#batches.values()) needed = Math.min(needed, batch)
    if (needed - this.#before <= NEEDLESS_MAX) {
      this.#sinceMs = undefined
      return
    }
    this.#sinceMs ??= nowMs
    if (this.#calm.lastedMs(nowMs, this.#sinceMs) <= this.#patienceMs) return
    this.#sinceMs = Number.POSITIVE_INFINITY
    violate(`the journal begins with batch ${this.#before}, and nothing that is kept is in one before ${needed}`, {})
  }
}
