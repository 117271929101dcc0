import type { HostConfig } from '@sluice/broker/core'
import type { EngineConfig } from '@sluice/engine'
import type { Deliver, Revoke, Welcome } from '@sluice/protocol'
import type { Checker, Observation, ObservationOf, Surroundings, Violate } from '../observation.ts'
import { boundsOf } from './population.ts'
import type { Sources } from './sources.ts'

/** Messages that only a worker may receive. */
const FOR_WORKERS = new Set(['deliver', 'settled', 'renewed', 'revoke'])

/**
 * The terms that a client is told are the ones in force: the bounds in `welcome`; the queue, lease and time limit of
 * a task with its delivery; the reason with a revoked lease; the time with `drain`. Only workers get answers to
 * workers' messages.
 */
export class Terms implements Checker {
  readonly rule = 'HOST-21'
  readonly #sources: Sources
  readonly #engine: EngineConfig
  readonly #host: HostConfig
  /** Connections that have said hello. */
  readonly #hellos = new Set<number>()
  /** Connections whose hello does not name the role of a worker. */
  readonly #others = new Set<number>()

  constructor(sources: Sources) {
    this.#sources = sources
    const { engine, host } = boundsOf(sources.scenario)
    this.#engine = engine
    this.#host = host
  }

  see(observation: Observation, _: Surroundings, violate: Violate): void {
    this.#sources.chronicle.see(observation)
    if (observation.type === 'heardByBroker') {
      const { connection, message } = observation
      // A second hello changes nothing.
      if (message.type === 'hello' && !this.#hellos.has(connection)) {
        this.#hellos.add(connection)
        if (!message.roles.includes('worker')) this.#others.add(connection)
      }
    } else if (observation.type === 'disconnected' && observation.side === 'broker') {
      this.#hellos.delete(observation.connection)
      this.#others.delete(observation.connection)
    } else if (observation.type === 'sentByBroker') this.#sent(observation, violate)
  }

  #sent({ node, connection, message }: ObservationOf<'sentByBroker'>, violate: Violate): void {
    if (FOR_WORKERS.has(message.type) && this.#others.has(connection))
      violate(`${node} was sent ${message.type}, and is no worker`, { nodes: [node] })
    switch (message.type) {
      case 'welcome':
        this.#welcomed(node, message, violate)
        break
      case 'deliver':
        this.#delivered(node, message, violate)
        break
      case 'revoke':
        this.#revoked(node, message, violate)
        break
      case 'drain':
        if (message.retryAfterMs !== this.#host.drainRetryAfterMs)
          violate(
            `${node} was told to come back after ${message.retryAfterMs} ms, not ${this.#host.drainRetryAfterMs}`,
            {
              nodes: [node],
            },
          )
        break
      default:
    }
  }

  #welcomed(node: string, welcome: Welcome, violate: Violate): void {
    const { submitCredit, graceMs } = this.#engine
    const { heartbeatMs, limits } = this.#host
    const durability = this.#sources.scenario.journal.durability ?? 'strict'
    const holds = { version: 1, submitCredit, heartbeatMs, graceMs, durability }
    for (const [name, value] of Object.entries(holds)) {
      const told = welcome[name as keyof typeof holds]
      if (told !== value) violate(`${node} was welcomed with ${name} ${told}, and it is ${value}`, { nodes: [node] })
    }
    for (const [name, limit] of Object.entries(limits)) {
      const told = welcome.limits[name as keyof typeof limits]
      if (told !== limit)
        violate(`${node} was welcomed with the limit ${name} ${told}, and it is ${limit}`, { nodes: [node] }, 'MSG-11')
    }
  }

  #delivered(node: string, { queue, leaseMs, timeLimitMs = 0, ids }: Deliver, violate: Violate): void {
    for (const id of ids) {
      const task = this.#sources.chronicle.tasks.get(id)
      if (!task) continue
      const { options } = task
      const differ = (what: string, told: unknown, is: unknown): void => {
        if (told !== is)
          violate(`${node} was given task ${id} with ${what} ${told}, and it has ${is}`, { ids: [id], nodes: [node] })
      }
      differ('the queue', queue, task.queue)
      differ('a lease of', leaseMs, options.leaseMs)
      differ('a time limit of', timeLimitMs, options.timeLimitMs)
    }
  }

  #revoked(node: string, { leases, reason }: Revoke, violate: Violate): void {
    for (const lease of leases) {
      const { id, end } = this.#sources.chronicle.leases.get(lease) ?? {}
      if (id === undefined || end === undefined) continue
      const is = end === 'taskCancelled' ? 'cancelled' : 'expired'
      if (reason !== is)
        violate(`${node} was told that lease ${lease} is ${reason}, and it is ${is}`, { ids: [id], nodes: [node] })
    }
  }
}
