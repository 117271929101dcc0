import { CLOSE_CODES } from '@sluice/protocol'
import type { Checker, Observation, ObservationOf, Surroundings, Violate } from '../observation.ts'
import { RETRY_AFTER_MS, SILENT_CODE, TIMER_MS } from './client-constants.ts'
import { LateNodes } from './late-nodes.ts'
import { hasOneClient } from './population.ts'
import type { Sources } from './sources.ts'

const FIRST_MS = 250
const LONGEST_MS = 10_000
/** A connection that has lasted this long makes the waits start over. */
const STABLE_MS = 10_000
/** What happens by chance in one world of 2 ^ 40 is taken for a bug. */
const BITS_MAX = 40
/** This many waits are not all the longest by chance: each is so in one of 250 cases. */
const LONGEST_MAX = 5

/** A client between two of its connections. */
interface Client {
  connection: number
  /** Attempts since the last connection that lasted; undefined if an observer cannot tell. */
  failures: number | undefined
  welcomedAtMs: number | undefined
  drainedAtMs: number | undefined
  /** The delay that it was asked to wait. */
  askedMs: number
  endedAtMs: number | undefined
}

/**
 * A client that has lost its connection waits before each new attempt: as long as it was asked to, plus a random
 * time. The limit of that doubles from 250 ms to 10 s with every attempt and starts over when a connection has lasted
 * for 10 s.
 */
export class Reconnection implements Checker {
  readonly rule = 'CLIENT-3'
  readonly #sources: Sources
  readonly #clients = new Map<string, Client>()
  readonly #late = new LateNodes()
  /** How unlikely it is by now, in bits, that no limit above the first one was used. */
  #bits = 0
  #hasGrown = false
  #waits = 0
  #longest = 0

  constructor(sources: Sources) {
    this.#sources = sources
  }

  see(observation: Observation, _: Surroundings, violate: Violate): void {
    this.#late.see(observation)
    switch (observation.type) {
      case 'nodeStarted':
        if (hasOneClient(this.#sources.scenario, observation.node)) this.#clients.set(observation.node, { ...FRESH })
        break
      case 'nodeStopped':
        this.#clients.delete(observation.node)
        break
      case 'connecting':
        this.#connecting(observation, violate)
        break
      case 'connectFailed':
        this.#ended(observation)
        break
      case 'disconnected':
        if (observation.side === 'node') this.#ended(observation)
        break
      case 'heardByNode':
        this.#heard(observation)
        break
      default:
    }
  }

  finish(_: Surroundings, violate: Violate): void {
    if (!this.#hasGrown && this.#bits >= BITS_MAX)
      violate(
        `of ${this.#waits} waits for a connection none was longer than ${FIRST_MS} ms, failed attempts or not`,
        {},
      )
    if (this.#waits >= LONGEST_MAX && this.#longest === this.#waits)
      violate(`all of ${this.#waits} waits for a connection were as long as can be`, {})
  }

  #connecting({ atMs, node, connection }: ObservationOf<'connecting'>, violate: Violate): void {
    const client = this.#clients.get(node)
    if (!client) return
    const { endedAtMs, failures, askedMs } = client
    const next = { ...FRESH, connection, failures }
    this.#clients.set(node, next)
    if (endedAtMs === undefined) return
    if (failures !== undefined) next.failures = failures + 1
    const waitMs = atMs - endedAtMs
    const about = { nodes: [node] }
    if (waitMs < askedMs - TIMER_MS)
      violate(`${node} was to wait ${askedMs} ms before it came back, and waited ${waitMs}`, about)
    // A client that was late has waited for longer than it meant to.
    if (failures === undefined || this.#late.wasLate(node)) return
    const boundMs = Math.min(LONGEST_MS, FIRST_MS * 2 ** failures)
    const ownMs = waitMs - askedMs
    if (ownMs > boundMs + TIMER_MS)
      violate(
        `${node} waited ${ownMs} ms for attempt ${failures + 1} at a connection, and ${boundMs} is the most`,
        about,
      )
    this.#waits += 1
    this.#bits += Math.log2(boundMs / FIRST_MS)
    this.#hasGrown ||= ownMs > FIRST_MS + TIMER_MS
    if (ownMs >= boundMs - 1) this.#longest += 1
  }

  #heard({ atMs, node, connection, message }: ObservationOf<'heardByNode'>): void {
    const client = this.#clients.get(node)
    if (client?.connection !== connection) return
    if (message.type === 'welcome') client.welcomedAtMs = atMs
    else if (message.type === 'drain') {
      client.drainedAtMs ??= atMs
      client.askedMs = message.retryAfterMs
    }
    if (client.drainedAtMs !== undefined) return
    // Only the last message says why a broker closes the connection.
    client.askedMs = message.type === 'error' && message.ref === undefined ? (message.retryAfterMs ?? 0) : 0
  }

  #ended(observation: ObservationOf<'disconnected' | 'connectFailed'>): void {
    const { atMs, node, connection } = observation
    const client = this.#clients.get(node)
    if (client?.connection !== connection) return
    client.endedAtMs = atMs
    const { welcomedAtMs, drainedAtMs } = client
    if (observation.type === 'disconnected' && observation.code === SILENT_CODE && drainedAtMs === undefined)
      client.askedMs = 0
    if (observation.type === 'disconnected' && drainedAtMs === undefined && client.askedMs === 0) {
      const { retry } = CLOSE_CODES[observation.code as keyof typeof CLOSE_CODES] ?? CLOSE_CODES[1006]
      if (retry === 'after') client.askedMs = RETRY_AFTER_MS
    }
    if (welcomedAtMs === undefined) return
    const lastedMs = (drainedAtMs ?? atMs) - welcomedAtMs
    if (lastedMs > STABLE_MS + TIMER_MS) client.failures = 0
    else if (lastedMs >= STABLE_MS) client.failures = undefined
  }
}

const FRESH: Client = {
  connection: 0,
  failures: 0,
  welcomedAtMs: undefined,
  drainedAtMs: undefined,
  askedMs: 0,
  endedAtMs: undefined,
}
