import type { Submit } from '@sluice/protocol'
import type { Checker, Observation, ObservationOf, Surroundings, Violate } from '../observation.ts'
import { isHonest } from './population.ts'
import type { Sources } from './sources.ts'

interface Account {
  credit: number
  /** Tasks by the ref of their submission, as the node sent them and as the broker heard them. */
  readonly sent: Map<number, number>
  readonly heard: Map<number, number>
  sentTasks: number
  heardTasks: number
  /** When the broker had heard more than it gave credit for. */
  exceededAtMs: number | undefined
}

/**
 * A producer never has more unanswered tasks than its submit credit, and the broker stops reading from one that does.
 */
export class SubmitCredit implements Checker {
  readonly rule = 'HOST-8'
  readonly #sources: Sources
  readonly #accounts = new Map<number, Account>()

  constructor(sources: Sources) {
    this.#sources = sources
  }

  see(observation: Observation, _: Surroundings, violate: Violate): void {
    this.#sources.wire.see(observation)
    switch (observation.type) {
      case 'sentToBroker': {
        if (observation.message.type !== 'submit') return
        const account = this.#accountOf(observation.connection)
        const { ref, ids } = observation.message
        account.sent.set(ref, ids.length)
        account.sentTasks += ids.length
        if (account.sentTasks > account.credit && isHonest(this.#sources.scenario, observation.node))
          violate(
            `${observation.node} has ${account.sentTasks} tasks without an answer and a submit credit of ${account.credit}`,
            { nodes: [observation.node] },
            'CLIENT-10',
          )
        return
      }
      case 'heardByBroker':
        if (observation.message.type === 'submit') this.#heard(observation, observation.message, violate)
        return
      case 'sentByBroker':
      case 'heardByNode':
        this.#answered(observation)
        return
      case 'disconnected':
        // What is on its way to the other side may still be heard there.
        if (!this.#sources.wire.connections.has(observation.connection)) this.#accounts.delete(observation.connection)
        return
      default:
    }
  }

  #heard({ atMs, node, connection }: ObservationOf<'heardByBroker'>, { ref, ids }: Submit, violate: Violate): void {
    const account = this.#accountOf(connection)
    if (account.exceededAtMs !== undefined && account.exceededAtMs < atMs) {
      violate(`the broker went on reading from ${node}, which has used up its submit credit`, { nodes: [node] })
      account.exceededAtMs = undefined
    }
    account.heard.set(ref, ids.length)
    account.heardTasks += ids.length
    if (account.heardTasks > account.credit) account.exceededAtMs ??= atMs
  }

  #answered({ type, connection, message }: ObservationOf<'sentByBroker' | 'heardByNode'>): void {
    const account = this.#accountOf(connection)
    if (message.type === 'welcome') account.credit = message.submitCredit
    else if ((message.type === 'submitted' || message.type === 'error') && message.ref !== undefined) {
      if (type === 'heardByNode') {
        account.sentTasks -= account.sent.get(message.ref) ?? 0
        account.sent.delete(message.ref)
      } else {
        account.heardTasks -= account.heard.get(message.ref) ?? 0
        account.heard.delete(message.ref)
        if (account.heardTasks <= account.credit) account.exceededAtMs = undefined
      }
    }
  }

  #accountOf(connection: number): Account {
    let account = this.#accounts.get(connection)
    if (!account) {
      account = { credit: 0, sent: new Map(), heard: new Map(), sentTasks: 0, heardTasks: 0, exceededAtMs: undefined }
      this.#accounts.set(connection, account)
    }
    return account
  }
}
