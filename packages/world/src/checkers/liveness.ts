import type { Checker, Observation, Surroundings } from '../observation.ts'
import { isOutcome } from './chronicle.ts'
import type { Sources, Violate } from './sources.ts'

/** At most this many are named one by one. */
const NAMED_MAX = 5

/**
 * Once faults have stopped, every accepted task comes to an outcome within the scenario's `settleMs`, every submission of a
 * producer that is still there is answered, and when all have left no timer and no connection is left behind.
 */
export class Liveness implements Checker {
  readonly rule = 'PROMISE-18'
  readonly #sources: Sources
  /** Submissions without an answer, by who waits for it and id. */
  readonly #waiting = new Map<string, { node: string; id: string }>()

  /** When tasks were accepted, and when workers left that have not come back, in the world's time. */
  readonly #acceptedAtMs = new Map<string, number>()
  readonly #leftAtMs = new Map<string, number>()

  constructor(sources: Sources) {
    this.#sources = sources
  }

  see(observation: Observation, _: Surroundings, violate: Violate): void {
    for (const { fact } of this.#sources.chronicle.see(observation))
      if (fact.type === 'taskAccepted') this.#acceptedAtMs.set(fact.id, observation.atMs)
    switch (observation.type) {
      case 'submitting': {
        const { node, id } = observation
        this.#waiting.set(`${node} ${id}`, { node, id })
        break
      }
      case 'accepted':
      case 'refused':
      case 'outcome':
      case 'outcomeUnknown':
        this.#waiting.delete(`${observation.node} ${observation.id}`)
        break
      case 'nodeStarted':
        this.#leftAtMs.delete(observation.node)
        break
      case 'nodeStopped':
        if (observation.how === 'left' && observation.node.startsWith('worker-'))
          this.#leftAtMs.set(observation.node, observation.atMs)
        for (const [key, { node }] of this.#waiting) {
          // A request over HTTP ends with the broker that it was made to.
          const isOver = node === observation.node || (node === 'operator' && observation.node === 'broker')
          if (isOver) this.#waiting.delete(key)
        }
        break
      case 'worldEnded': {
        const { timers, connections, unfinished, waiting } = observation
        if (timers > 0) violate(`${timers} timers are left behind`, {})
        if (connections > 0) violate(`${connections} connections are left behind`, {})
        if (unfinished > 0) violate(`${unfinished} tasks have no outcome after all faults have ended`, {})
        if (waiting > 0) violate(`${waiting} submissions have not been settled after all faults have ended`, {})
        break
      }
      default:
    }
  }

  finish(_: Surroundings, violate: Violate): void {
    // What is accepted while everyone is leaving stays for the next time.
    const leftAtMs = Math.min(...this.#leftAtMs.values())
    const unfinished = [...this.#sources.chronicle.tasks.values()].filter(
      ({ id, state }) => !isOutcome(state) && (this.#acceptedAtMs.get(id) ?? 0) < leftAtMs,
    )
    for (const { id, state } of unfinished.slice(0, NAMED_MAX))
      violate(`task ${id} is ${state} in the end`, { ids: [id] })
    for (const { id, node } of [...this.#waiting.values()].slice(0, NAMED_MAX))
      violate(`${node} never heard what became of its submission of ${id}`, { ids: [id], nodes: [node] })
  }
}
