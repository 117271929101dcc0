import { type BrokerMessage, type ClientMessage, retryOf } from '@sluice/protocol'
import type { Checker, Observation, ObservationOf, Surroundings, Violate } from '../observation.ts'
import { LateNodes } from './late-nodes.ts'
import { isHonest, workerGroupOf } from './population.ts'
import type { Sources } from './sources.ts'

/** A lease survives two lost or late heartbeats. */
const BEATS_PER_LEASE = 3
/** Timers are at least a millisecond and are not exact. */
const TIMER_MS = 3

/** A lease as its worker holds it. */
interface Held {
  readonly id: string
  readonly leaseMs: number
  /** When the lease was last named, or the broker renewed it without a heartbeat. */
  namedAtMs: number
  /** The work is done. It is unknown whether the broker has accepted it. */
  isAnswered: boolean
}

interface Worker {
  connection: number
  heartbeatMs: number
  readonly held: Map<number, Held>
  /** When the leases that it held before were given up or lost. */
  readonly goneAtMs: Map<number, number>
  /** Answers on their way, by ref. */
  readonly asked: Map<number, readonly number[]>
}

/**
 * A worker with a connection names every lease that it works on, or is to work on, as often as it was asked to, and
 * short ones three times in their life. It names no lease that it does not hold. Every client sends something that
 * often. Only what a client sends is judged, whatever happens to it on the way.
 */
export class Heartbeats implements Checker {
  readonly rule = 'CLIENT-1'
  readonly #sources: Sources
  readonly #late = new LateNodes()
  readonly #workers = new Map<string, Worker>()
  /** Welcomed clients, by connection, and when they last sent something. */
  readonly #spoken = new Map<number, { node: string; heartbeatMs: number; atMs: number }>()
  #nextDueMs = Number.POSITIVE_INFINITY

  constructor(sources: Sources) {
    this.#sources = sources
  }

  see(observation: Observation, _: Surroundings, violate: Violate): void {
    this.#late.see(observation)
    if (observation.atMs > this.#nextDueMs) this.#judge(observation.atMs, violate)
    switch (observation.type) {
      case 'nodeStopped':
        this.#workers.delete(observation.node)
        for (const [connection, { node }] of this.#spoken)
          if (node === observation.node) this.#spoken.delete(connection)
        break
      case 'disconnected': {
        if (observation.side === 'node') this.#spoken.delete(observation.connection)
        const worker = this.#workers.get(observation.node)
        if (observation.side === 'node' && worker?.connection === observation.connection) worker.connection = NONE
        break
      }
      case 'heardByNode':
        this.#heard(observation, observation.message)
        break
      case 'sentToBroker':
        this.#said(observation, observation.message, violate)
        break
      default:
    }
  }

  #heard({ atMs, node, connection }: ObservationOf<'heardByNode'>, message: BrokerMessage): void {
    if (message.type === 'welcome') {
      const { scenario } = this.#sources
      if (!isHonest(scenario, node)) return
      this.#spoken.set(connection, { node, heartbeatMs: message.heartbeatMs, atMs })
      this.#nextDueMs = Math.min(this.#nextDueMs, atMs + message.heartbeatMs + TIMER_MS)
      if (!workerGroupOf(scenario, node)) return
      const worker = this.#workers.get(node) ?? fresh()
      this.#workers.set(node, worker)
      worker.connection = connection
      worker.heartbeatMs = message.heartbeatMs
      worker.asked.clear()
      for (const lease of message.resumed ? message.lostLeases : [...worker.held.keys()]) give(worker, lease, atMs)
      for (const held of worker.held.values()) this.#named(worker, held, atMs)
      return
    }
    const worker = this.#workers.get(node)
    if (worker?.connection !== connection) return
    switch (message.type) {
      case 'deliver':
        for (const [index, lease] of message.leases.entries()) {
          const held = {
            id: message.ids[index] as string,
            leaseMs: message.leaseMs,
            namedAtMs: atMs,
            isAnswered: false,
          }
          worker.held.set(lease, held)
          this.#named(worker, held, atMs)
        }
        break
      case 'revoke':
        for (const lease of message.leases) give(worker, lease, atMs)
        break
      case 'renewed':
        for (const lease of message.lost) give(worker, lease, atMs)
        break
      case 'settled': {
        const later = new Set(
          message.refused.filter(({ error }) => retryOf(error.code) !== 'no').map(({ index }) => index),
        )
        for (const [index, lease] of (worker.asked.get(message.ref) ?? []).entries())
          if (!later.has(index)) give(worker, lease, atMs)
        worker.asked.delete(message.ref)
        break
      }
      default:
    }
  }

  #said({ atMs, node, connection }: ObservationOf<'sentToBroker'>, message: ClientMessage, violate: Violate): void {
    const spoken = this.#spoken.get(connection)
    if (spoken) spoken.atMs = atMs
    if (message.type === 'bye') this.#spoken.delete(connection)
    const worker = this.#workers.get(node)
    if (worker?.connection !== connection) return
    switch (message.type) {
      case 'heartbeat':
        for (const lease of message.leases) {
          const held = worker.held.get(lease)
          if (held) this.#named(worker, held, atMs)
          // What it hears while it sends this comes too late.
          else if (atMs > (worker.goneAtMs.get(lease) ?? Number.NEGATIVE_INFINITY) + TIMER_MS)
            violate(`${node} names lease ${lease} in a heartbeat, which it does not hold`, { nodes: [node] })
        }
        break
      case 'complete':
      case 'release':
        this.#answer(worker, message.ref, message.leases)
        break
      case 'fail':
        this.#answer(
          worker,
          message.ref,
          message.failures.map(({ lease }) => lease),
        )
        break
      case 'bye':
        this.#workers.delete(node)
        break
      default:
    }
  }

  #answer(worker: Worker, ref: number, leases: readonly number[]): void {
    worker.asked.set(ref, leases)
    for (const lease of leases) {
      const held = worker.held.get(lease)
      if (held) held.isAnswered = true
    }
  }

  #named(worker: Worker, held: Held, atMs: number): void {
    held.namedAtMs = atMs
    if (!held.isAnswered) this.#nextDueMs = Math.min(this.#nextDueMs, dueAtMs(worker, held))
  }

  #judge(nowMs: number, violate: Violate): void {
    this.#nextDueMs = Number.POSITIVE_INFINITY
    for (const [connection, { node, heartbeatMs, atMs }] of this.#spoken) {
      if (this.#late.wasLate(node)) continue
      const dueMs = atMs + heartbeatMs + TIMER_MS
      if (nowMs <= dueMs) {
        this.#nextDueMs = Math.min(this.#nextDueMs, dueMs)
        continue
      }
      this.#spoken.delete(connection)
      violate(`${node} has said nothing for ${nowMs - atMs} ms, and was to within ${heartbeatMs}`, { nodes: [node] })
    }
    for (const [node, worker] of this.#workers) {
      if (worker.connection === NONE || this.#late.wasLate(node)) continue
      for (const [lease, held] of worker.held) {
        if (held.isAnswered) continue
        const dueMs = dueAtMs(worker, held)
        if (nowMs <= dueMs) {
          this.#nextDueMs = Math.min(this.#nextDueMs, dueMs)
          continue
        }
        violate(
          `${node} has named lease ${lease} of task ${held.id}, which lives for ${held.leaseMs} ms, in no heartbeat for ${nowMs - held.namedAtMs} ms`,
          { ids: [held.id], nodes: [node] },
        )
        held.namedAtMs = Number.POSITIVE_INFINITY
      }
    }
  }
}

/** The client has no connection. */
const NONE = -1

function fresh(): Worker {
  return { connection: NONE, heartbeatMs: 0, held: new Map(), goneAtMs: new Map(), asked: new Map() }
}

function give(worker: Worker, lease: number, atMs: number): void {
  if (worker.held.delete(lease)) worker.goneAtMs.set(lease, atMs)
}

function dueAtMs({ heartbeatMs }: Worker, { leaseMs, namedAtMs }: Held): number {
  return namedAtMs + Math.min(heartbeatMs, leaseMs / BEATS_PER_LEASE) + TIMER_MS
}
