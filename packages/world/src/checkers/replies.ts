import type { BrokerMessage, ClientMessage } from '@sluice/protocol'
import type { Checker, Observation, Surroundings, Violate } from '../observation.ts'

/** The questions that each kind of answer is for. */
const QUESTIONS: Partial<Record<BrokerMessage['type'], readonly ClientMessage['type'][]>> = {
  submitted: ['submit'],
  settled: ['complete', 'fail', 'release'],
  cancelled: ['cancel'],
  status: ['query'],
  watched: ['watch'],
  renewed: ['heartbeat'],
  pong: ['ping'],
}

/**
 * The `ref` of each answer names a question of its kind that was asked over that connection. Each question gets one
 * answer.
 */
export class Replies implements Checker {
  readonly rule = 'MSG-4'
  /** Unanswered questions by connection, then by type and ref. A liar may ask the same one twice. */
  readonly #open = new Map<number, Map<string, number>>()

  see(observation: Observation, _: Surroundings, violate: Violate): void {
    switch (observation.type) {
      case 'heardByBroker': {
        const { connection, message } = observation
        if ('ref' in message) this.#count(connection, `${message.type} ${message.ref}`, 1)
        break
      }
      case 'sentByBroker': {
        const { node, connection, message } = observation
        const questions = QUESTIONS[message.type]
        if (!questions || !('ref' in message) || ('more' in message && message.more)) break
        const asked = questions.find((type) => this.#count(connection, `${type} ${message.ref}`, 0) > 0)
        if (asked) this.#count(connection, `${asked} ${message.ref}`, -1)
        else violate(`${node} was sent ${message.type} ${message.ref}, for which it had not asked`, { nodes: [node] })
        break
      }
      case 'disconnected':
        if (observation.side === 'broker') this.#open.delete(observation.connection)
        break
      default:
    }
  }

  #count(connection: number, question: string, change: number): number {
    let open = this.#open.get(connection)
    if (!open) {
      open = new Map()
      this.#open.set(connection, open)
    }
    const count = (open.get(question) ?? 0) + change
    if (count > 0) open.set(question, count)
    else open.delete(question)
    return count
  }
}
