import { deliveredItems } from '../message-items.ts'
import type { Observation, ObservationOf } from '../observation.ts'

export interface Run {
  readonly run: number
  readonly node: string
  readonly id: string
  readonly lease: number
}

/** Which handler runs under which lease, as far as an observer can tell, for the ones that run on. */
export class Runs {
  /** Runs that have not been aborted, by lease. */
  readonly byLease = new Map<number, Run>()
  readonly #byRun = new Map<number, Run>()
  /** Deliveries that no handler has started yet, by node, task and attempt. */
  readonly #waiting = new Map<string, number[]>()
  #seen: Observation | undefined

  /** The same observation may be shown again. It counts once. */
  see(observation: Observation): void {
    if (this.#seen === observation) return
    this.#seen = observation
    switch (observation.type) {
      case 'heardByNode': {
        const { node, message } = observation
        if (message.type !== 'deliver') break
        for (const { id, lease, attempt } of deliveredItems(message)) {
          const key = `${node} ${id} ${attempt}`
          this.#waiting.set(key, [...(this.#waiting.get(key) ?? []), lease])
        }
        break
      }
      case 'handlerStarted':
        this.#started(observation)
        break
      case 'handlerAborted':
      case 'handlerEnded':
        this.#end(observation.run)
        break
      case 'nodeStopped':
        for (const { run, node } of [...this.#byRun.values()]) if (node === observation.node) this.#end(run)
        for (const key of this.#waiting.keys()) if (key.startsWith(`${observation.node} `)) this.#waiting.delete(key)
        break
      default:
    }
  }

  /** Undefined if that is unknown, or the run is over. */
  leaseOf(run: number): number | undefined {
    return this.#byRun.get(run)?.lease
  }

  #started({ node, id, attempt, run }: ObservationOf<'handlerStarted'>): void {
    const key = `${node} ${id} ${attempt}`
    const leases = this.#waiting.get(key)
    // An observer cannot tell on which of several deliveries it works.
    const lease = leases?.length === 1 ? leases[0] : undefined
    if (lease === undefined) return
    this.#waiting.delete(key)
    const running = { run, node, id, lease }
    this.byLease.set(lease, running)
    this.#byRun.set(run, running)
  }

  #end(run: number): void {
    const ended = this.#byRun.get(run)
    if (!ended) return
    this.#byRun.delete(run)
    this.byLease.delete(ended.lease)
  }
}
