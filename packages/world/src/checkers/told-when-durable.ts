import type { BrokerMessage, TaskStatus } from '@sluice/protocol'
import { deliveredItems } from '../message-items.ts'
import type { Checker, Observation, ObservationOf, Surroundings, Violate } from '../observation.ts'
import { Calm } from './calm.ts'
import { boundsOf, longestOf } from './population.ts'
import type { Sources } from './sources.ts'
import { acceptedOf } from './wire.ts'

/** How much later than `lazyFlushMs` events that need not be durable may be written. */
const SLACK_MS = 50

/** No acknowledgement and no delivery leaves before the batch behind it has been appended. */
export class ToldWhenDurable implements Checker {
  readonly rule = 'HOST-1'
  readonly #sources: Sources
  readonly #lazyFlushMs: number
  readonly #calm = new Calm()
  #isAppending = false
  /** Since when another batch may be written. */
  #freeSinceMs = 0
  /** Leases that were told and that the journal has not been given yet, oldest first. */
  readonly #unwritten = new Map<number, { id: string; atMs: number }>()

  constructor(sources: Sources) {
    this.#sources = sources
    const { journal } = sources.scenario
    // A synchronous append delays everything.
    const heldUpMs = journal.isSynchronous ? longestOf(journal.appendMs) : 0
    this.#lazyFlushMs = boundsOf(sources.scenario).host.lazyFlushMs + heldUpMs
  }

  see(observation: Observation, _: Surroundings, violate: Violate): void {
    const { chronicle, wire } = this.#sources
    chronicle.see(observation)
    wire.see(observation)
    this.#calm.see(observation)
    switch (observation.type) {
      case 'appending':
        if (this.#isAppending)
          violate(`batch ${observation.batch} was handed over while the one before it was being written`, {}, 'HOST-2')
        this.#isAppending = true
        break
      case 'appended':
      case 'recovered':
        this.#isAppending = false
        this.#freeSinceMs = observation.atMs
        break
      case 'sentByBroker':
        this.#sent(observation, observation.message, violate)
        break
      case 'answered': {
        const { node, id, task } = observation
        if (task) this.#judgeState(node, id, task.state, violate)
        break
      }
      case 'cancelAnswered': {
        const { node, id, code } = observation
        if (code === 'cancelled' && !this.#hadOutcome(id, 'cancelled'))
          this.#early(node, 'the cancellation', id, violate)
        break
      }
      default:
    }
    this.#judgeUnwritten(observation, violate)
  }

  #early(node: string, what: string, id: string, violate: Violate, rule = this.rule): void {
    if (!this.#sources.chronicle.damaged.has(id))
      violate(`${node} was told ${what} of task ${id} before that was durable`, { ids: [id], nodes: [node] }, rule)
  }

  #judgeState(node: string, id: string, state: TaskStatus['state'], violate: Violate): void {
    const isKnown =
      state === 'succeeded' || state === 'dead' || state === 'cancelled'
        ? this.#hadOutcome(id, state)
        : state === 'unknown' || this.#sources.chronicle.wasAccepted(id)
    if (!isKnown) this.#early(node, `the state ${state}`, id, violate)
  }

  #sent(observation: ObservationOf<'sentByBroker'>, message: BrokerMessage, violate: Violate): void {
    const { chronicle, wire } = this.#sources
    const { node } = observation
    const early = (what: string, id: string): void => this.#early(node, what, id, violate)
    switch (message.type) {
      case 'submitted': {
        const request = wire.requestOf(observation)
        if (request?.type !== 'submit') return
        for (const id of acceptedOf(request, message.refused))
          if (!chronicle.wasAccepted(id)) early('the acceptance', id)
        return
      }
      case 'deliver':
        for (const { id, lease } of deliveredItems(message))
          if (!chronicle.leases.has(lease)) this.#unwritten.set(lease, { id, atMs: observation.atMs })
        for (const id of message.ids)
          if (!chronicle.wasAccepted(id)) this.#early(node, 'the delivery', id, violate, 'HOST-3')
        return
      case 'settled': {
        const request = wire.requestOf(observation)
        if (request?.type !== 'complete' && request?.type !== 'fail') return
        const refused = new Set(message.refused.map(({ index }) => index))
        const leases = request.type === 'complete' ? request.leases : request.failures.map(({ lease }) => lease)
        leases.forEach((lease, index) => {
          if (refused.has(index) || chronicle.leases.get(lease)?.end !== undefined) return
          early(`the settlement under lease ${lease}`, wire.leases.get(lease)?.id ?? 'unknown')
        })
        return
      }
      case 'cancelled': {
        const request = wire.requestOf(observation)
        if (request?.type !== 'cancel') return
        const refused = new Set(message.refused.map(({ index }) => index))
        request.ids.forEach((id, index) => {
          if (!refused.has(index) && !this.#hadOutcome(id, 'cancelled')) early('the cancellation', id)
        })
        return
      }
      case 'succeeded':
      case 'ended':
        for (const { id, status } of wire.outcomesIn(observation))
          if (!this.#hadOutcome(id, status)) early(`the outcome ${status}`, id)
        return
      case 'status':
        for (const { id, state } of message.tasks) this.#judgeState(node, id, state, violate)
        return
      default:
    }
  }

  /** What need not wait for the disk must still be written some time. */
  #judgeUnwritten(observation: Observation, violate: Violate): void {
    const { atMs } = observation
    const isGone = observation.type === 'nodeStopped' && observation.node === 'broker' && observation.how === 'crashed'
    // What a broker had not written when it crashed is lost, however long the next one reads its journal.
    if (isGone || observation.type === 'recovered') this.#unwritten.clear()
    for (const [lease, told] of this.#unwritten) {
      const { chronicle } = this.#sources
      if (!chronicle.leases.has(lease)) {
        if (chronicle.isWriting) break
        const forMs = this.#calm.lastedMs(atMs, Math.max(told.atMs, this.#freeSinceMs))
        if (forMs <= this.#lazyFlushMs + SLACK_MS) break
        violate(`lease ${lease} was told ${forMs} ms ago and is not in the journal`, { ids: [told.id] }, 'HOST-4')
      }
      this.#unwritten.delete(lease)
    }
  }

  #hadOutcome(id: string, status: string): boolean {
    return this.#sources.chronicle.outcomesOf(id).some((outcome) => outcome.status === status)
  }
}
