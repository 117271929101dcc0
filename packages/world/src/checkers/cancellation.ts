import type { BrokerMessage } from '@sluice/protocol'
import { deliveredItems } from '../message-items.ts'
import type { Checker, Observation, ObservationOf, Surroundings } from '../observation.ts'
import type { Sources, Violate } from './sources.ts'

interface Run {
  readonly run: number
  readonly node: string
  readonly id: string
}

/**
 * Whoever works on a task that is cancelled is told to stop, and a handler whose lease is lost is aborted as soon as its worker
 * hears of it.
 */
export class Cancellation implements Checker {
  readonly rule = 'PROMISE-20'
  readonly #sources: Sources
  /** Leases of cancelled tasks whose holders have to be told. */
  readonly #untold = new Map<number, { id: string; node: string; connection: number }>()
  /** Deliveries that no handler has started on yet, by node, task and attempt; the oldest first. */
  readonly #waiting = new Map<string, number[]>()
  readonly #running = new Map<number, Run>()
  readonly #leaseOfRun = new Map<number, number>()
  /** Runs that have to be aborted, and when their worker heard so. */
  readonly #doomed = new Map<number, { run: Run; atMs: number }>()

  constructor(sources: Sources) {
    this.#sources = sources
  }

  see(observation: Observation, _: Surroundings, violate: Violate): void {
    const { chronicle, wire } = this.#sources
    const steps = chronicle.see(observation)
    wire.see(observation)
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
      case 'sentByBroker':
        for (const lease of lostBy(observation.message)) this.#untold.delete(lease)
        break
      case 'heardByNode':
        this.#heard(observation)
        break
      case 'handlerStarted':
        this.#started(observation)
        break
      case 'handlerAborted':
      case 'handlerEnded': {
        const lease = this.#leaseOfRun.get(observation.run)
        if (lease !== undefined) this.#running.delete(lease)
        this.#leaseOfRun.delete(observation.run)
        this.#doomed.delete(observation.run)
        break
      }
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

  #heard({ atMs, node, message }: ObservationOf<'heardByNode'>): void {
    if (message.type === 'deliver') {
      for (const { id, lease, attempt } of deliveredItems(message)) {
        const key = `${node} ${id} ${attempt}`
        const waiting = this.#waiting.get(key)
        if (waiting) waiting.push(lease)
        else this.#waiting.set(key, [lease])
      }
      return
    }
    for (const lease of lostBy(message)) {
      const run = this.#running.get(lease)
      if (run?.node === node) this.#doomed.set(run.run, { run, atMs })
    }
  }

  #started({ node, id, attempt, run }: ObservationOf<'handlerStarted'>): void {
    const key = `${node} ${id} ${attempt}`
    const leases = this.#waiting.get(key)
    // Which of several it is cannot be told from outside: then nothing is expected of it.
    const lease = leases?.length === 1 ? leases[0] : undefined
    if (lease === undefined) return
    this.#waiting.delete(key)
    this.#running.set(lease, { run, node, id })
    this.#leaseOfRun.set(run, lease)
  }

  #judge(atMs: number, violate: Violate): void {
    for (const [number, { run, atMs: heardAtMs }] of this.#doomed) {
      if (atMs <= heardAtMs + 1) continue
      this.#doomed.delete(number)
      violate(`${run.node} heard that it has lost task ${run.id}, and run ${number} went on unaware of it`, {
        ids: [run.id],
        nodes: [run.node],
      })
    }
  }

  #stopped(node: string): void {
    if (node === 'broker') this.#untold.clear()
    for (const [number, { run }] of this.#doomed) if (run.node === node) this.#doomed.delete(number)
    for (const [lease, run] of this.#running) {
      if (run.node !== node) continue
      this.#running.delete(lease)
      this.#leaseOfRun.delete(run.run)
    }
    for (const [lease, untold] of this.#untold) if (untold.node === node) this.#untold.delete(lease)
  }
}

/** The leases that a message says are lost. */
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
