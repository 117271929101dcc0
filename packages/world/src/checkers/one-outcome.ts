import { completedItems } from '../message-items.ts'
import type { Checker, Observation, ObservationOf, Surroundings, Violate } from '../observation.ts'
import { isOutcome, type RecordedOutcome } from './chronicle.ts'
import { isHonest } from './population.ts'
import type { Sources } from './sources.ts'

const text = new TextDecoder()

/**
 * A task gets one outcome, unless it is redriven, and every observer is told that one. A result is the one that was
 * sent under the lease that completed the task, and the one that the handler of an honest worker returned.
 */
export class OneOutcome implements Checker {
  readonly rule = 'RESULT-1'
  readonly #sources: Sources
  /** Results as the broker heard them, by session and lease. The first one counts. */
  readonly #heard = new Map<string, { result: string; node: string }>()
  /** What handlers returned, by task. */
  readonly #returned = new Map<string, Set<string>>()

  constructor(sources: Sources) {
    this.#sources = sources
  }

  see(observation: Observation, _: Surroundings, violate: Violate): void {
    const { chronicle, wire } = this.#sources
    const steps = chronicle.see(observation)
    wire.see(observation)
    chronicle.forgetLost(this.#heard)
    if (!chronicle.isRetold) {
      for (const { fact, before } of steps) {
        if (fact.type !== 'taskSucceeded' && fact.type !== 'taskDied' && fact.type !== 'taskCancelled') continue
        if (before && isOutcome(before.state))
          violate(`task ${fact.id} was ${before.state} and got another outcome, ${fact.type}`, { ids: [fact.id] })
      }
    }
    switch (observation.type) {
      case 'handlerEnded':
        if (observation.how === 'returned' && observation.result !== undefined)
          this.#returnedOf(observation.id).add(observation.result)
        break
      case 'heardByBroker':
        if (observation.message.type === 'complete') {
          const session = wire.connectionOf(observation).session
          for (const { lease, bytes } of completedItems(observation.message)) {
            const key = `${session} ${lease}`
            if (!this.#heard.has(key)) this.#heard.set(key, { result: text.decode(bytes), node: observation.node })
          }
        }
        break
      case 'sentByBroker':
        for (const { id, status, reason, result } of wire.outcomesIn(observation))
          this.#judge(observation.node, id, status, reason, () => text.decode(result), violate)
        break
      case 'outcome':
        this.#told(observation, violate)
        break
      default:
    }
  }

  #told(seen: ObservationOf<'outcome'>, violate: Violate): void {
    const { id, node, status } = seen
    const reason = seen.status === 'dead' ? seen.reason : undefined
    const result = seen.status === 'succeeded' ? seen.result : ''
    this.#judge(node, id, status, reason, () => JSON.stringify(result), violate)
  }

  #judge(
    node: string,
    id: string,
    status: string,
    reason: string | undefined,
    result: () => string,
    violate: Violate,
  ): void {
    const { chronicle } = this.#sources
    if (chronicle.damaged.has(id)) return
    const recorded = chronicle.outcomesOf(id).filter((one) => one.status === status && one.reason === reason)
    const about = { ids: [id], nodes: [node] }
    if (recorded.length === 0) {
      const told = reason === undefined ? status : `${status} (${reason})`
      violate(`${node} was told that task ${id} is ${told}, which is not what was recorded`, about, 'RESULT-2')
      return
    }
    if (status !== 'succeeded') return
    const told = result()
    const match = recorded.find((one) => this.#resultOf(one)?.result === told)
    if (!match) {
      // A result from before the stream began, or from outside the wire, cannot be compared.
      if (recorded.every((one) => this.#resultOf(one) !== undefined))
        violate(`${node} was told another result of task ${id} than the one that completed it`, about, 'HOST-12')
      return
    }
    const worker = this.#resultOf(match)?.node ?? ''
    if (isHonest(this.#sources.scenario, worker) && !this.#returnedOf(id).has(JSON.parse(told) as string))
      violate(`${node} was told a result of task ${id} that no handler has returned`, about, 'CLIENT-5')
  }

  #resultOf({ session, lease }: RecordedOutcome): { result: string; node: string } | undefined {
    return this.#heard.get(`${session} ${lease}`)
  }

  #returnedOf(id: string): Set<string> {
    let results = this.#returned.get(id)
    if (!results) {
      results = new Set()
      this.#returned.set(id, results)
    }
    return results
  }
}
