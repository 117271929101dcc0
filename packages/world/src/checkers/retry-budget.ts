import type { Checker, Observation, ObservationOf, Surroundings } from '../observation.ts'
import { hasOneClient, isHonest } from './population.ts'
import type { Sources, Violate } from './sources.ts'

/** Retries that a client may make at once, and what it earns by an acceptance and by a millisecond. */
const AT_ONCE_MAX = 1000
const EARNED = 0.2
const EARNED_PER_MS = 0.05

/** A producer's client, from its start. */
interface Budget {
  tokens: number
  atMs: number
  /** Submissions on their way, by connection and ref. */
  readonly asked: Map<string, readonly string[]>
  /** Tasks that were refused for now, on the connection that is. */
  readonly refused: Set<string>
}

/** Producers try again what was refused for now as often as a budget allows: however many are refused, the broker is not asked for all of them over and over. */
export class RetryBudget implements Checker {
  readonly rule = 'PROMISE-46'
  readonly #sources: Sources
  readonly #budgets = new Map<string, Budget>()

  constructor(sources: Sources) {
    this.#sources = sources
  }

  see(observation: Observation, _: Surroundings, violate: Violate): void {
    switch (observation.type) {
      case 'nodeStarted': {
        const { node, atMs } = observation
        const { scenario } = this.#sources
        if (hasOneClient(scenario, node) && isHonest(scenario, node))
          this.#budgets.set(node, { tokens: AT_ONCE_MAX, atMs, asked: new Map(), refused: new Set() })
        break
      }
      case 'nodeStopped':
        this.#budgets.delete(observation.node)
        break
      case 'sentToBroker':
        this.#said(observation, violate)
        break
      case 'heardByNode':
        this.#heard(observation)
        break
      default:
    }
  }

  #said({ atMs, node, connection, message }: ObservationOf<'sentToBroker'>, violate: Violate): void {
    const budget = this.#budgets.get(node)
    if (!budget || message.type !== 'submit') return
    const retries = message.ids.filter((id) => budget.refused.delete(id)).length
    budget.asked.set(`${connection} ${message.ref}`, message.ids)
    if (retries === 0) return
    budget.tokens = Math.min(AT_ONCE_MAX, budget.tokens + (atMs - budget.atMs) * EARNED_PER_MS) - retries
    budget.atMs = atMs
    if (budget.tokens > -1) return
    violate(`${node} tries ${retries} refused tasks again, more than its retries allow`, { nodes: [node] })
    budget.tokens = 0
  }

  #heard({ node, connection, message }: ObservationOf<'heardByNode'>): void {
    const budget = this.#budgets.get(node)
    if (!budget) return
    if (message.type === 'welcome') {
      // What was on its way is sent again for another reason.
      budget.asked.clear()
      return
    }
    if (message.type !== 'submitted') return
    const ids = budget.asked.get(`${connection} ${message.ref}`) ?? []
    budget.asked.delete(`${connection} ${message.ref}`)
    for (const { index } of message.refused) budget.refused.add(ids[index] as string)
    budget.tokens = Math.min(AT_ONCE_MAX, budget.tokens + (ids.length - message.refused.length) * EARNED)
  }
}
