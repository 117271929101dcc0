import type { Submit } from '@sluice/protocol'
import type { Fact } from '../journal/facts.ts'
import { deliveredItems, type SubmissionOf } from '../message-items.ts'
import type { Observation, Violation } from '../observation.ts'

/**
 * The participants of a story: its tasks under short names, the nodes that touch them, and what their numbers refer
 * to.
 */
export class Cast {
  readonly #tasks = new Map<string, string>()
  readonly #nodes: Set<string>
  readonly #leases = new Map<number, string>()
  readonly #sessions = new Map<string, string>()
  readonly #submissions = new Map<string, Submit>()
  /** By connection and ref: the tasks that a message is about, in its order. */
  readonly #refs = new Map<string, (string | undefined)[]>()

  constructor({ ids = [], nodes = [] }: Violation['about']) {
    for (const id of ids) this.#tasks.set(id, `task ${letters(this.#tasks.size)}`)
    this.#nodes = new Set(['broker', ...nodes])
  }

  legend(): string[] {
    return [...this.#tasks].map(([id, name]) => `${name} is ${id}`)
  }

  /** Whether what happens to this node as a whole belongs to the story. */
  plays(node: string): boolean {
    return this.#nodes.has(node)
  }

  /** The short name of a task of the story. */
  names(id: string | undefined): string | undefined {
    return id === undefined ? undefined : this.#tasks.get(id)
  }

  /** The task of a lease, if it is one of the story. */
  leased(lease: number): string | undefined {
    return this.names(this.#leases.get(lease))
  }

  holder(session: string): string {
    return this.#sessions.get(session) ?? 'a session of earlier times'
  }

  /** The tasks of the message with this ref, by index; undefined for one that is not of the story. */
  spokenOf(connection: number, ref: number): readonly (string | undefined)[] {
    return this.#refs.get(`${connection}/${ref}`) ?? []
  }

  /** What was submitted over a connection. */
  submissionsOf(connection: number): SubmissionOf {
    return (ref) => this.#submissions.get(`${connection}/${ref}`)
  }

  /** Learns which task each lease is for. */
  learn(facts: readonly Fact[]): void {
    for (const fact of facts) if (fact.type === 'leaseGranted') this.#leases.set(fact.lease, fact.id)
  }

  /** Learns which task each number and lease refers to. */
  see(observation: Observation): void {
    switch (observation.type) {
      case 'submitting':
      case 'handlerStarted':
        if (this.#tasks.has(observation.id)) this.#nodes.add(observation.node)
        return
      case 'sentByBroker': {
        const { message } = observation
        if (message.type === 'welcome') this.#sessions.set(message.session, observation.node)
        else if (message.type === 'deliver') {
          for (const { id, lease } of deliveredItems(message)) {
            this.#leases.set(lease, id)
            if (this.#tasks.has(id)) this.#nodes.add(observation.node)
          }
        }
        return
      }
      case 'sentToBroker':
      case 'heardByBroker': {
        const { message } = observation
        if (!('ref' in message)) return
        if (message.type === 'submit') this.#submissions.set(`${observation.connection}/${message.ref}`, message)
        const named =
          message.type === 'submit'
            ? message.ids.map((id) => this.names(id))
            : message.type === 'complete'
              ? message.leases.map((lease) => this.leased(lease))
              : message.type === 'fail'
                ? message.failures.map(({ lease }) => this.leased(lease))
                : message.type === 'release'
                  ? message.leases.map((lease) => this.leased(lease))
                  : message.type === 'cancel' || message.type === 'watch'
                    ? message.ids.map((id) => this.names(id))
                    : undefined
        if (named !== undefined) this.#refs.set(`${observation.connection}/${message.ref}`, named)
      }
    }
  }
}

/** A, B, …, Z, A1, B1, … */
function letters(at: number): string {
  const letter = String.fromCharCode(65 + (at % 26))
  return at < 26 ? letter : `${letter}${Math.floor(at / 26)}`
}
