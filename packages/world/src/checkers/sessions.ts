import { type Event, isFinished, type State } from '@sluice/engine'
import type { ClientMessage, Hello, Welcome } from '@sluice/protocol'
import type { Checker, Observation, ObservationOf, Surroundings, Violate } from '../observation.ts'
import { Calm } from './calm.ts'
import { boundsOf, isHonest } from './population.ts'
import type { Sources } from './sources.ts'

/** Times are fractions of a ms, and sums of them are rounded. */
const ROUNDING_MS = 0.01
/** How much later than its grace window a session may be closed. */
const SLACK_MS = 5000
const MOMENT_MS = 1000

/** A hello, and what the broker held for its session when it was heard. */
interface Greeting {
  readonly hello: Hello
  /** Undefined if there is no such session. */
  readonly held: ReadonlySet<number> | undefined
  /** The hello may have waited before it was read, with a change in between. */
  readonly isCertain: boolean
}

/**
 * A resumed session keeps exactly the leases that its client named and that it still held, and the client is told
 * which are lost. A session can be resumed until its grace window ends and is not closed before that. Until then no
 * attempt is lost with it.
 */
export class Sessions implements Checker {
  readonly rule = 'SESSION-3'
  readonly #sources: Sources
  readonly #graceMs: number
  readonly #maySessionsMakeWay: boolean
  /** If batches fill quickly, received input waits, the hello too (HOST-9). */
  readonly #mayWait: boolean
  readonly #greetings = new Map<number, Greeting>()
  /** By session, according to the facts. */
  readonly #graceEndsAtMs = new Map<string, number>()
  readonly #leaving = new Set<string>()
  readonly #calm = new Calm()
  /** The connection on which a session was last welcomed. */
  readonly #connections = new Map<string, number>()
  /** When the loss of a connection was written, in world time. */
  readonly #awayAtMs = new Map<string, number>()
  /** Connections that another one has replaced. */
  readonly #replaced = new Map<number, { node: string; connection: number; atMs: number }>()
  /** Leases that their holder has settled or handed back. */
  readonly #answered = new Set<number>()
  /** Leases that a welcome has left to clients that no longer hold them. */
  readonly #left: { node: string; lease: number; id: string; atMs: number }[] = []
  #nowMs = 0

  constructor(sources: Sources) {
    this.#sources = sources
    this.#graceMs = boundsOf(sources.scenario).engine.graceMs
    this.#maySessionsMakeWay = sources.scenario.engine?.sessionsMax !== undefined
    this.#mayWait = sources.scenario.hosting?.stagedBytesMax !== undefined
  }

  see(observation: Observation, { state }: Surroundings, violate: Violate): void {
    const { chronicle, wire, runs } = this.#sources
    const steps = chronicle.see(observation)
    wire.see(observation)
    runs.see(observation)
    this.#calm.see(observation)
    this.#nowMs = observation.atMs
    if (this.#left.length > 0) this.#judgeLeft(observation, violate)
    if (this.#replaced.size > 0) this.#judgeReplaced(observation.atMs, violate)
    if (observation.type === 'nodeStopped' && observation.node === 'broker') {
      // The next broker has connections of its own.
      this.#connections.clear()
      this.#replaced.clear()
    }
    if (observation.type === 'sentByBroker' && state) this.#judgePhase(observation, state, violate)
    if (observation.type === 'appending' && !this.#mayWait) this.#judgeGoodbyes(observation.events, violate)
    if (chronicle.isRetold) this.#graceEndsAtMs.clear()
    for (const { fact, before } of steps) {
      if (fact.type === 'sessionDisconnected') {
        this.#graceEndsAtMs.set(fact.session, fact.graceEndsAtMs)
        this.#awayAtMs.set(fact.session, observation.atMs)
        if (fact.graceEndsAtMs < fact.atMs + this.#graceMs - ROUNDING_MS)
          violate(
            `a session has a grace window of ${fact.graceEndsAtMs - fact.atMs} ms, not ${this.#graceMs}`,
            {},
            'SESSION-2',
          )
      } else if (fact.type === 'sessionResumed') this.#graceEndsAtMs.delete(fact.session)
      else if (fact.type === 'sessionClosed') {
        const endsAtMs = this.#graceEndsAtMs.get(fact.session) ?? Number.POSITIVE_INFINITY
        // One that is away makes way for a new one where there are as many as may be.
        if (!this.#leaving.has(fact.session) && fact.atMs < endsAtMs - ROUNDING_MS && !this.#maySessionsMakeWay)
          violate('a session was closed that had not left and whose grace window had not ended', {}, 'SESSION-4')
        this.#graceEndsAtMs.delete(fact.session)
      } else if (fact.type === 'attemptFailed' || fact.type === 'taskDied') {
        const endsAtMs = this.#graceEndsAtMs.get(before?.session ?? '') ?? Number.POSITIVE_INFINITY
        if (fact.attempt?.how === 'session_lost' && fact.atMs < endsAtMs - ROUNDING_MS)
          violate(
            `an attempt at task ${fact.id} counts as lost with its session, whose grace window had not ended`,
            {
              ids: [fact.id],
            },
            'SESSION-4',
          )
      }
    }
    if (observation.type === 'heardByBroker') {
      const { message, connection } = observation
      const { session } = wire.connectionOf(observation)
      if (message.type === 'bye' && session !== undefined) this.#leaving.add(session)
      for (const lease of answeredBy(message)) this.#answered.add(lease)
      if (message.type === 'hello') {
        const held = message.resume && state?.sessions.get(message.resume.session)
        this.#greetings.set(connection, {
          hello: message,
          held: held && new Set(held.leases.keys()),
          isCertain: !chronicle.isWriting && !this.#mayWait,
        })
      }
    } else if (observation.type === 'sentToBroker' && observation.message.type === 'hello') {
      this.#named(observation.node, observation.message, violate)
    } else if (observation.type === 'sentByBroker' && observation.message.type === 'welcome') {
      const greeting = this.#greetings.get(observation.connection)
      this.#greetings.delete(observation.connection)
      this.#judgeConnections(observation, observation.message)
      if (greeting && state) this.#welcomed(observation.node, greeting, observation.message, state, violate)
    }
  }

  finish(_: Surroundings, violate: Violate): void {
    for (const session of this.#graceEndsAtMs.keys()) {
      const forMs = this.#calm.lastedMs(this.#nowMs, this.#awayAtMs.get(session) ?? 0)
      if (forMs > this.#graceMs + SLACK_MS)
        violate(
          `a session is held ${forMs} ms after its connection was lost, and has ${this.#graceMs}`,
          {},
          'SESSION-4',
        )
    }
  }

  /** The connection may have been lost and restored before the goodbye came, in the same batch. */
  #judgeGoodbyes(events: readonly Event[], violate: Violate): void {
    // A start treats every session as disconnected.
    if (events.some(({ type }) => type === 'brokerStarted')) return
    const away = new Set<string>()
    for (const event of events) {
      if (event.type === 'sessionDisconnected') away.add(event.session)
      else if (event.type === 'sessionResumed' || event.type === 'sessionClosed') away.delete(event.session)
    }
    for (const session of away)
      if (this.#leaving.has(session))
        violate('a session has left with a goodbye and is held as though its connection was lost', {}, 'SESSION-5')
  }

  /** The newest connection of a session is its only one. */
  #judgeConnections({ node, connection, atMs }: ObservationOf<'sentByBroker'>, { session }: Welcome): void {
    const before = this.#connections.get(session)
    this.#connections.set(session, connection)
    if (before !== undefined && before !== connection) this.#replaced.set(before, { node, connection, atMs })
  }

  /** The broker's program may learn the end of a lost connection a moment after the new one has begun. */
  #judgeReplaced(nowMs: number, violate: Violate): void {
    for (const [before, { node, connection, atMs }] of this.#replaced) {
      const isOpen = this.#sources.wire.connections.get(before)?.isOpenAtBroker ?? false
      if (isOpen && this.#calm.lastedMs(nowMs, atMs) <= MOMENT_MS) continue
      this.#replaced.delete(before)
      if (isOpen)
        violate(
          `${node} came back on connection ${connection}, and ${before} still speaks for its session`,
          {
            nodes: [node],
          },
          'HOST-7',
        )
    }
  }

  /** A client that comes back names what it works on. */
  #named(node: string, { resume }: Hello, violate: Violate): void {
    if (!resume || !isHonest(this.#sources.scenario, node)) return
    const named = new Set(resume.leases)
    for (const { lease, id, node: holder } of this.#sources.runs.byLease.values()) {
      if (holder === node && !named.has(lease))
        violate(
          `${node} came back and did not name lease ${lease}, which it works on`,
          { ids: [id], nodes: [node] },
          'CLIENT-4',
        )
    }
  }

  /** A lease that ends after the hello was decided is revoked in the frame of the welcome. */
  #judgeLeft(observation: Observation, violate: Violate): void {
    const revoked =
      observation.type === 'sentByBroker' && observation.message.type === 'revoke' ? observation.message.leases : []
    for (const left of this.#left.splice(0)) {
      const { node, lease, id, atMs } = left
      if (revoked.includes(lease)) continue
      if (observation.atMs === atMs) this.#left.push(left)
      else
        violate(
          `${node} resumed and was left lease ${lease}, which it does not hold`,
          { ids: [id], nodes: [node] },
          'HOST-7',
        )
    }
  }

  /** A client that is sent something is there. */
  #judgePhase(observation: ObservationOf<'sentByBroker'>, state: State, violate: Violate): void {
    const { session } = this.#sources.wire.connectionOf(observation)
    if (observation.message.type === 'welcome' || session === undefined || this.#leaving.has(session)) return
    const phase = state.sessions.get(session)?.phase
    if (phase !== 'connected')
      violate(
        `the broker speaks to ${observation.node}, whose session it holds to be ${phase ?? 'gone'}`,
        {
          nodes: [observation.node],
        },
        'SESSION-2',
      )
  }

  #welcomed(
    node: string,
    { hello: { resume }, held, isCertain }: Greeting,
    welcome: Welcome,
    state: State,
    violate: Violate,
  ): void {
    const about = { nodes: [node] }
    const named = resume?.leases ?? []
    const lost = new Set(welcome.lostLeases)
    for (const lease of lost)
      if (!named.includes(lease))
        violate(`${node} was told to have lost lease ${lease}, which it did not name`, about, 'HOST-7')
    if (!welcome.resumed) {
      if (lost.size < new Set(named).size)
        violate(`${node} has a new session and was left leases of another`, about, 'HOST-7')
      if (held && resume && state.sessions.has(resume.session))
        violate(`${node} was given a new session while its old one was held for it`, about)
      return
    }
    if (welcome.session !== resume?.session) {
      violate(`${node} was given the session of somebody else`, about)
      return
    }
    const now = state.sessions.get(welcome.session)?.leases
    if (!now) return
    for (const lease of named) {
      const id = this.#sources.wire.leases.get(lease)?.id ?? ''
      const task = state.tasks.get(id)
      const phase = task?.phase
      if (lost.has(lease)) {
        // A lease granted since is another one, although without `strict` it may have the number of a lease that a
        // loss of power has taken. What was sent on the old connection may have been read between the hello and the
        // welcome.
        const isEnded = this.#answered.has(lease) || (task !== undefined && isFinished(task))
        if (held?.has(lease) && ((isCertain && !isEnded) || now.has(lease)))
          violate(`${node} resumed and was told to have lost lease ${lease}, which it held`, { ids: [id], ...about })
      } else if (!now.has(lease) && (phase?.state === 'ready' || phase?.state === 'leased' || phase === undefined))
        // An outcome may have been recorded between the decision and the message.
        this.#left.push({ node, lease, id, atMs: this.#nowMs })
    }
    for (const lease of held ?? [])
      if (!named.includes(lease) && now.has(lease))
        violate(`${node} resumed without lease ${lease}, which was not handed back`, about)
  }
}

function answeredBy(message: ClientMessage): readonly number[] {
  if (message.type === 'complete' || message.type === 'release') return message.leases
  return message.type === 'fail' ? message.failures.map(({ lease }) => lease) : []
}
