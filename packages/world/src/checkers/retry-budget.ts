import type { Checker, Observation, ObservationOf, Surroundings, Violate } from '../observation.ts'
import { TIMER_MS } from './client-constants.ts'
import { hasOneClient, isHonest } from './population.ts'
import type { Sources } from './sources.ts'

/** How many retries a client may make at once, and what it earns with an acceptance and with a millisecond. */
const AT_ONCE_MAX = 1000
const EARNED = 0.2
const EARNED_PER_MS = 0.05

/** This many waits do not all end at the earliest moment by chance: each does so in one of 250 cases. */
const PROMPT_MAX = 5

/** What was refused with one message. */
interface Refusal {
  /** When the broker may be asked again. */
  readonly fromMs: number
  isOver: boolean
}

/** A producer's client, from its start. */
interface Budget {
  tokens: number
  atMs: number
  /** Submissions on their way, by connection and ref. */
  readonly asked: Map<string, readonly string[]>
  /** Tasks that were refused for now. */
  readonly refused: Map<string, Refusal>
}

/**
 * Producers retry what was refused for now only within a budget. However many tasks are refused, the broker is not
 * asked for all of them again and again, nor by all clients at the same moment.
 */
export class RetryBudget implements Checker {
  readonly rule = 'CLIENT-11'
  readonly #sources: Sources
  readonly #budgets = new Map<string, Budget>()
  #waits = 0
  #prompt = 0

  constructor(sources: Sources) {
    this.#sources = sources
  }

  see(observation: Observation, _: Surroundings, violate: Violate): void {
    switch (observation.type) {
      case 'nodeStarted': {
        const { node, atMs } = observation
        const { scenario } = this.#sources
        if (hasOneClient(scenario, node) && isHonest(scenario, node))
          this.#budgets.set(node, { tokens: AT_ONCE_MAX, atMs, asked: new Map(), refused: new Map() })
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

  finish(_: Surroundings, violate: Violate): void {
    if (this.#waits >= PROMPT_MAX && this.#prompt === this.#waits)
      violate(`all of ${this.#waits} refusals were tried again at the first moment allowed`, {})
  }

  #said({ atMs, node, connection, message }: ObservationOf<'sentToBroker'>, violate: Violate): void {
    const budget = this.#budgets.get(node)
    if (!budget || message.type !== 'submit') return
    const retries = message.ids.filter((id) => this.#isRetry(budget, id, atMs)).length
    budget.asked.set(`${connection} ${message.ref}`, message.ids)
    if (retries === 0) return
    budget.tokens = Math.min(AT_ONCE_MAX, budget.tokens + (atMs - budget.atMs) * EARNED_PER_MS) - retries
    budget.atMs = atMs
    if (budget.tokens > -1) return
    violate(`${node} tries ${retries} refused tasks again, more than its retries allow`, { nodes: [node] })
    budget.tokens = 0
  }

  #isRetry({ refused }: Budget, id: string, atMs: number): boolean {
    const refusal = refused.get(id)
    if (!refusal) return false
    refused.delete(id)
    if (!refusal.isOver) {
      this.#waits += 1
      if (atMs <= refusal.fromMs + TIMER_MS) this.#prompt += 1
    }
    refusal.isOver = true
    return true
  }

  #heard({ atMs, node, connection, message }: ObservationOf<'heardByNode'>): void {
    const budget = this.#budgets.get(node)
    if (!budget) return
    if (message.type === 'welcome') {
      // Submissions that were on their way are sent again for another reason. Retries that were granted while the
      // connection was away may leave all at once.
      budget.asked.clear()
      budget.refused.clear()
      budget.tokens = AT_ONCE_MAX
      budget.atMs = atMs
      // With less, granted retries wait for their turn.
      if (message.submitCredit < AT_ONCE_MAX) this.#budgets.delete(node)
      return
    }
    if (message.type !== 'submitted') return
    const ids = budget.asked.get(`${connection} ${message.ref}`) ?? []
    budget.asked.delete(`${connection} ${message.ref}`)
    const waits = message.refused.map(({ error }) => error.retryAfterMs ?? 0)
    const refusal = { fromMs: atMs + Math.max(0, ...waits), isOver: false }
    for (const { index } of message.refused) budget.refused.set(ids[index] as string, refusal)
    budget.tokens = Math.min(AT_ONCE_MAX, budget.tokens + (ids.length - message.refused.length) * EARNED)
  }
}
