import type { BrokerMessage, Renewed } from '@sluice/protocol'
import type { Checker, Observation, ObservationOf, Surroundings, Violate } from '../observation.ts'
import type { Run } from './runs.ts'
import type { Sources } from './sources.ts'

/**
 * A worker is told to stop a task that is cancelled. A handler whose lease is lost is aborted as soon as its worker
 * is told.
 */
export class Cancellation implements Checker {
  readonly rule = 'CANCEL-1'
  readonly #sources: Sources
  /** Leases of cancelled tasks whose holders must be told. */
  readonly #untold = new Map<number, { id: string; node: string; connection: number }>()
  /** Leases that a heartbeat named and that its session did not hold, by connection and ref. */
  readonly #strange = new Map<string, readonly number[]>()
  /** Runs that must be aborted, and when their worker was told. */
  readonly #doomed = new Map<number, { run: Run; atMs: number }>()

  constructor(sources: Sources) {
    this.#sources = sources
  }

  see(observation: Observation, { state }: Surroundings, violate: Violate): void {
    const { chronicle, wire, runs } = this.#sources
    const steps = chronicle.see(observation)
    wire.see(observation)
    // This comes before the run ends: an aborted handler was running until then.
    if (observation.type === 'heardByNode') this.#heard(observation)
    runs.see(observation)
    if (this.#doomed.size > 0) this.#judge(observation.atMs, violate)
    if (!chronicle.isRetold) {
      for (const { fact, before } of steps) {
        if (fact.type !== 'taskCancelled' || before?.lease === undefined) continue
        const told = wire.leases.get(before.lease)
        const connection = told && wire.connections.get(told.connection)
        if (told && connection?.isOpenAtBroker && connection.session === before.session)
          this.#untold.set(before.lease, { id: fact.id, node: told.node, connection: told.connection })
      }
    }
    switch (observation.type) {
      case 'heardByBroker': {
        const { message, connection } = observation
        if (message.type !== 'heartbeat') break
        const held = state?.sessions.get(wire.connectionOf(observation).session ?? '')?.leases
        const strange = message.leases.filter((lease) => !held?.has(lease))
        if (strange.length > 0) this.#strange.set(`${connection} ${message.ref}`, strange)
        break
      }
      case 'sentByBroker':
        for (const lease of lostBy(observation.message)) this.#untold.delete(lease)
        if (observation.message.type === 'renewed') this.#renewed(observation, observation.message, violate)
        break
      case 'handlerAborted':
      case 'handlerEnded':
        this.#doomed.delete(observation.run)
        break
      case 'disconnected':
        for (const [lease, { connection }] of this.#untold)
          if (connection === observation.connection) this.#untold.delete(lease)
        break
      case 'nodeStopped':
        this.#stopped(observation.node)
        break
      default:
    }
  }

  finish(_: Surroundings, violate: Violate): void {
    this.#judge(Number.POSITIVE_INFINITY, violate)
    for (const [lease, { id, node }] of this.#untold)
      violate(`task ${id} was cancelled, and ${node} was not told to stop work under lease ${lease}`, {
        ids: [id],
        nodes: [node],
      })
  }

  #renewed({ node, connection }: ObservationOf<'sentByBroker'>, { ref, lost }: Renewed, violate: Violate): void {
    const key = `${connection} ${ref}`
    for (const lease of this.#strange.get(key) ?? []) {
      if (!lost.includes(lease))
        violate(
          `${node} named lease ${lease} in a heartbeat, does not hold it and was not told so`,
          { nodes: [node] },
          'LEASE-4',
        )
    }
    this.#strange.delete(key)
  }

  #heard({ atMs, node, message }: ObservationOf<'heardByNode'>): void {
    for (const lease of lostBy(message)) {
      const run = this.#sources.runs.byLease.get(lease)
      if (run?.node === node) this.#doomed.set(run.run, { run, atMs })
    }
  }

  #judge(atMs: number, violate: Violate): void {
    for (const [number, { run, atMs: heardAtMs }] of this.#doomed) {
      if (atMs <= heardAtMs + 1) continue
      this.#doomed.delete(number)
      violate(
        `${run.node} heard that it has lost task ${run.id}, and run ${number} went on unaware of it`,
        {
          ids: [run.id],
          nodes: [run.node],
        },
        'CLIENT-6',
      )
    }
  }

  #stopped(node: string): void {
    if (node === 'broker') this.#untold.clear()
    for (const [number, { run }] of this.#doomed) if (run.node === node) this.#doomed.delete(number)
    for (const [lease, untold] of this.#untold) if (untold.node === node) this.#untold.delete(lease)
  }
}

/** The leases that a message reports as lost. */
function lostBy(message: BrokerMessage): readonly number[] {
  switch (message.type) {
    case 'revoke':
      return message.leases
    case 'renewed':
      return message.lost
    case 'welcome':
      return message.resumed ? message.lostLeases : []
    default:
      return []
  }
}
