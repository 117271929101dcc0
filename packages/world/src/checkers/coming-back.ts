import { type BrokerMessage, CLOSE_CODES, type Hello, retryOf, type WireError } from '@sluice/protocol'
import type { Checker, Observation, ObservationOf, Surroundings, Violate } from '../observation.ts'
import { RETRY_AFTER_MS, SILENT_CODE } from './client-constants.ts'
import { LateNodes } from './late-nodes.ts'
import { hasOneClient } from './population.ts'
import type { Sources } from './sources.ts'

/**
 * How long a client waits for an open connection, then for its welcome, and the longest time that it stays away by
 * itself.
 */
const PATIENCE_MS = 10_000
const SLACK_MS = 50
/** A client closes with this code when it leaves, or has waited in vain for its welcome. */
const NORMAL_CODE = 1000

type Phase =
  | 'starting'
  | 'connecting'
  | 'greeting'
  | 'welcomed'
  | 'away'
  /** The client was refused for good. */
  | 'over'
  /** An observer cannot tell which of its reasons the client had to close the connection. */
  | 'unknown'

interface Client {
  phase: Phase
  sinceMs: number
  connection: number
  /** The last one that it was given. */
  session: string | undefined
  /** The last thing that it was told about the connection as a whole. */
  lastWord: WireError | undefined
  drainedForMs: number | undefined
}

/**
 * A client whose connection is lost, or does not open in time, tries again, over one connection at a time, and asks
 * for its session. It gives up exactly when it was refused for good.
 */
export class ComingBack implements Checker {
  readonly rule = 'CLIENT-4'
  readonly #sources: Sources
  readonly #late = new LateNodes()
  readonly #clients = new Map<string, Client>()
  #nextEndMs = Number.POSITIVE_INFINITY

  constructor(sources: Sources) {
    this.#sources = sources
  }

  see(observation: Observation, _: Surroundings, violate: Violate): void {
    this.#late.see(observation)
    if (observation.atMs > this.#nextEndMs) this.#judge(observation.atMs, violate)
    switch (observation.type) {
      case 'nodeStarted':
        if (hasOneClient(this.#sources.scenario, observation.node)) this.#clients.set(observation.node, fresh())
        break
      case 'nodeStopped':
        this.#stopped(observation, violate)
        break
      case 'connecting':
        this.#connecting(observation, violate)
        break
      case 'connected':
        this.#move(observation, 'greeting')
        break
      case 'connectFailed':
        this.#move(observation, 'away')
        break
      case 'disconnected':
        if (observation.side === 'node') this.#ended(observation)
        break
      case 'heardByNode':
        this.#heard(observation, observation.message)
        break
      case 'sentToBroker':
        if (observation.message.type === 'hello') this.#greets(observation.node, observation.message, violate)
        break
      default:
    }
  }

  #clientOf({ node, connection }: { node: string; connection: number }): Client | undefined {
    const client = this.#clients.get(node)
    return client?.connection === connection ? client : undefined
  }

  #connecting({ atMs, node, connection }: ObservationOf<'connecting'>, violate: Violate): void {
    const client = this.#clients.get(node)
    if (!client) return
    const about = { nodes: [node] }
    if (client.phase === 'over') violate(`${node} was refused for good and tries again`, about)
    else if (isHeld(client.phase) && !this.#late.wasLate(node))
      // A client that hears everything late has closed a connection before it hears that it is gone.
      violate(`${node} opens connection ${connection} beside connection ${client.connection}`, about)
    client.connection = connection
    client.lastWord = undefined
    client.drainedForMs = undefined
    this.#move({ atMs, node, connection }, 'connecting')
  }

  #heard(observation: ObservationOf<'heardByNode'>, message: BrokerMessage): void {
    const client = this.#clientOf(observation)
    if (!client) return
    client.lastWord = message.type === 'error' && message.ref === undefined ? message : undefined
    if (message.type === 'drain') client.drainedForMs = message.retryAfterMs
    else if (message.type === 'welcome' && client.phase === 'greeting') {
      client.session = message.session
      this.#move(observation, 'welcomed')
    }
  }

  #greets(node: string, { resume }: Hello, violate: Violate): void {
    const session = this.#clients.get(node)?.session
    if (this.#clients.has(node) && resume?.session !== session)
      violate(
        resume === undefined
          ? `${node} had a session and comes back without asking for it`
          : `${node} asks for a session that it was not given last`,
        { nodes: [node] },
      )
  }

  #ended(observation: ObservationOf<'disconnected'>): void {
    const client = this.#clientOf(observation)
    if (!client) return
    const { retry } = entryOf(observation.code)
    const isFinal = (client.lastWord === undefined ? retry : retryOf(client.lastWord.code)) === 'no'
    // A client that closes because of silence has not been refused.
    const isSilent = observation.code === SILENT_CODE
    if (client.drainedForMs !== undefined || isSilent || !isFinal) this.#move(observation, 'away')
    else this.#move(observation, observation.code === NORMAL_CODE ? 'unknown' : 'over')
    client.drainedForMs ??= client.lastWord?.retryAfterMs ?? (retry === 'after' ? RETRY_AFTER_MS : 0)
  }

  #move(observation: { atMs: number; node: string; connection: number }, phase: Phase): void {
    const client = this.#clientOf(observation)
    if (!client) return
    client.phase = phase
    client.sinceMs = observation.atMs
    this.#nextEndMs = Math.min(this.#nextEndMs, endMs(client))
  }

  #stopped({ node, how, reason }: ObservationOf<'nodeStopped'>, violate: Violate): void {
    const client = this.#clients.get(node)
    this.#clients.delete(node)
    if (how === 'failed' && client && client.phase !== 'over')
      violate(`${node} has given up (${reason}), and nobody had refused it for good`, { nodes: [node] })
  }

  #judge(nowMs: number, violate: Violate): void {
    this.#nextEndMs = Number.POSITIVE_INFINITY
    for (const [node, client] of this.#clients) {
      if (this.#late.wasLate(node)) continue
      if (nowMs <= endMs(client)) {
        this.#nextEndMs = Math.min(this.#nextEndMs, endMs(client))
        continue
      }
      violate(`${node} has been ${client.phase} for ${nowMs - client.sinceMs} ms`, { nodes: [node] })
      client.phase = 'unknown'
    }
  }
}

function fresh(): Client {
  return {
    phase: 'starting',
    sinceMs: 0,
    connection: -1,
    session: undefined,
    lastWord: undefined,
    drainedForMs: undefined,
  }
}

function isHeld(phase: Phase): boolean {
  return phase === 'connecting' || phase === 'greeting' || phase === 'welcomed'
}

/** Until when a client may be in its phase. */
function endMs({ phase, sinceMs, drainedForMs = 0 }: Client): number {
  if (phase === 'away') return sinceMs + drainedForMs + PATIENCE_MS + SLACK_MS
  return phase === 'connecting' || phase === 'greeting' ? sinceMs + PATIENCE_MS + SLACK_MS : Number.POSITIVE_INFINITY
}

function entryOf(code: number): { retry: string } {
  return CLOSE_CODES[code as keyof typeof CLOSE_CODES] ?? CLOSE_CODES[1006]
}
