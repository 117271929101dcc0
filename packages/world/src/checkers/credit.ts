import { freeCredit, type State } from '@sluice/engine'
import type { ClientMessage } from '@sluice/protocol'
import type { Fact } from '../journal/facts.ts'
import { deliveredItems } from '../message-items.ts'
import type { Checker, Observation, ObservationOf, Surroundings, Violate } from '../observation.ts'
import { Calm } from './calm.ts'
import { isHonest, workerGroupOf } from './population.ts'
import type { Sources } from './sources.ts'

/** How long ready tasks and free credit may exist side by side while the broker is able to act. */
const MOMENT_MS = 1000

/** What a session may hold and holds, according to its facts. */
interface Account {
  credit: number
  queues: readonly string[]
  isConnected: boolean
  /** The session let a lease expire. It gets nothing until it has been heard and has rested. */
  isSilent: boolean
  readonly leases: Set<number>
}

/** The same according to the wire. */
interface Told {
  /**
   * The highest credit asked for on this connection. A delivery may have been on its way when the credit was lowered.
   */
  credit: number
  readonly leases: Set<number>
}

/**
 * No session is granted more than its free credit, a task from a queue that it did not name, or a task before a
 * session with more free credit. No session is told more than it asked for on the connection. No credit leaks: ready
 * tasks and free credit do not stay side by side.
 */
export class Credit implements Checker {
  readonly rule = 'LEASE-1'
  readonly #sources: Sources
  readonly #accounts = new Map<string, Account>()
  readonly #told = new Map<number, Told>()
  readonly #calm = new Calm()
  /** Running handlers, by node. */
  readonly #running = new Map<string, number>()
  /** The last credit asked for, by session. */
  readonly #newest = new Map<string, number>()
  /** When a broker was asked to leave or has said so. From then on it delivers nothing. */
  #isLeaving = false
  #idle: { queue: string; task: string; nextLease: number; sinceMs: number } | undefined

  constructor(sources: Sources) {
    this.#sources = sources
  }

  see(observation: Observation, { state }: Surroundings, violate: Violate): void {
    const { chronicle, wire } = this.#sources
    const steps = chronicle.see(observation)
    wire.see(observation)
    this.#calm.see(observation)
    if (chronicle.isRetold) this.#accounts.clear()
    for (const { fact, before, after } of steps) {
      switch (fact.type) {
        case 'brokerStarted':
          for (const account of this.#accounts.values()) account.isConnected = false
          break
        case 'sessionOpened':
        case 'sessionResumed':
          this.#accountOf(fact.session).isConnected = true
          break
        case 'sessionDisconnected':
          this.#accountOf(fact.session).isConnected = false
          break
        case 'sessionClosed':
          this.#accounts.delete(fact.session)
          break
        case 'creditSet': {
          const account = this.#accountOf(fact.session)
          account.credit = fact.credit
          account.queues = fact.queues
          break
        }
        case 'sessionRested':
          this.#accountOf(fact.session).isSilent = false
          break
        case 'leaseGranted':
          this.#granted(fact.session, before?.queue ?? '', fact.id, fact.lease, violate)
          break
        default:
          if (hasExpired(fact) && before?.session !== undefined) {
            const account = this.#accountOf(before.session)
            account.isSilent ||= account.isConnected
          }
          if (before?.lease !== undefined && after?.lease !== before.lease)
            this.#accounts.get(before.session ?? '')?.leases.delete(before.lease)
      }
    }
    if (observation.type === 'heardByBroker') this.#heard(observation, observation.message)
    else if (observation.type === 'sentByBroker') this.#sent(observation, state, violate)
    else if (observation.type === 'disconnected' && observation.side === 'broker')
      this.#told.delete(observation.connection)
    this.#count(observation, violate)
    if (observation.type === 'nodeStarted' && observation.node === 'broker') this.#isLeaving = false
    else if (observation.type === 'faultStarted' && observation.fault.type === 'restart')
      this.#isLeaving ||= observation.fault.node === 'broker'
    else if (observation.type === 'sentByBroker' && observation.message.type === 'drain') this.#isLeaving = true
    this.#watch(observation, state, violate)
  }

  finish({ state }: Surroundings, violate: Violate): void {
    const idle = state && idleIn(state)
    if (idle && !this.#isLeaving && !this.#sources.chronicle.isWriting)
      violate(`in the end task ${idle.task} of ${idle.queue} is ready and credit for it is free`, { ids: [idle.task] })
  }

  #count(observation: Observation, violate: Violate): void {
    if (observation.type === 'nodeStopped') this.#running.delete(observation.node)
    if (observation.type !== 'handlerStarted' && observation.type !== 'handlerEnded') return
    const { node, id } = observation
    const running = (this.#running.get(node) ?? 0) + (observation.type === 'handlerStarted' ? 1 : -1)
    this.#running.set(node, running)
    const max = workerGroupOf(this.#sources.scenario, node)?.concurrency ?? running
    if (running > max)
      violate(
        `${node} runs ${running} handlers at once, and is to run ${max}`,
        { ids: [id], nodes: [node] },
        'CLIENT-8',
      )
  }

  #granted(session: string, queue: string, id: string, lease: number, violate: Violate): void {
    const account = this.#accountOf(session)
    const about = { ids: [id] }
    const free = freeOf(account)
    for (const other of this.#accounts.values())
      if (other.isConnected && !other.isSilent && freeOf(other) > free && other.queues.includes(queue))
        violate(
          `lease ${lease} was granted to a session with ${free} free, and another had ${freeOf(other)}`,
          about,
          'LEASE-2',
        )
    account.leases.add(lease)
    if (account.leases.size > account.credit)
      violate(
        `lease ${lease} was granted to a session that holds ${account.leases.size} with it, past its credit of ${account.credit}`,
        about,
      )
    if (!account.isConnected)
      violate(`lease ${lease} was granted to a session without a connection`, about, 'SESSION-2')
    if (!account.queues.includes(queue))
      violate(`lease ${lease} was granted to a session that does not take from ${queue}`, about)
  }

  #heard(observation: ObservationOf<'heardByBroker'>, message: ClientMessage): void {
    const told = this.#toldOf(observation.connection)
    const { session } = this.#sources.wire.connectionOf(observation)
    switch (message.type) {
      case 'hello':
        for (const lease of message.resume?.leases ?? []) told.leases.add(lease)
        break
      case 'credit':
        told.credit = Math.max(told.credit, message.credit)
        if (session !== undefined) this.#newest.set(session, message.credit)
        break
      case 'complete':
        for (const lease of message.leases) told.leases.delete(lease)
        break
      case 'fail':
        for (const { lease } of message.failures) told.leases.delete(lease)
        break
      case 'release':
        for (const lease of message.leases) told.leases.delete(lease)
        break
      default:
    }
  }

  #sent(
    { node, connection, message }: ObservationOf<'sentByBroker'>,
    state: State | undefined,
    violate: Violate,
  ): void {
    const told = this.#toldOf(connection)
    if (message.type === 'welcome') {
      for (const lease of message.lostLeases) told.leases.delete(lease)
      // A resumed session keeps its earlier credit until it states it again. The last credit may have been lost with
      // the broker; then the session goes on with what the broker knows.
      const known = state?.sessions.get(message.session)?.credit ?? 0
      told.credit = Math.max(told.credit, this.#newest.get(message.session) ?? 0, known)
    }
    if (message.type === 'renewed') for (const lease of message.lost) told.leases.delete(lease)
    if (message.type === 'revoke') for (const lease of message.leases) told.leases.delete(lease)
    if (message.type !== 'deliver') return
    for (const { id, lease } of deliveredItems(message)) {
      told.leases.add(lease)
      if (told.leases.size > told.credit && isHonest(this.#sources.scenario, node))
        violate(
          `${node} was told lease ${lease} and holds ${told.leases.size} with it, past its credit of ${told.credit}`,
          {
            ids: [id],
            nodes: [node],
          },
        )
    }
  }

  /** Nothing can be granted while a batch is being written, and a paused broker grants nothing. */
  #watch(observation: Observation, state: State | undefined, violate: Violate): void {
    const { atMs, type } = observation
    const isHeldUp =
      this.#isLeaving ||
      this.#sources.chronicle.isWriting ||
      type === 'appended' ||
      type.startsWith('fault') ||
      type.startsWith('node')
    const idle = state && !isHeldUp && (this.#idle || type === 'sentByBroker') ? idleIn(state) : undefined
    if (!idle || !state) {
      this.#idle = undefined
      return
    }
    if (this.#idle?.task !== idle.task || this.#idle.nextLease !== state.nextLease) {
      this.#idle = { ...idle, nextLease: state.nextLease, sinceMs: atMs }
      return
    }
    const forMs = this.#calm.lastedMs(atMs, this.#idle.sinceMs)
    if (forMs <= MOMENT_MS) return
    this.#idle.sinceMs = Number.POSITIVE_INFINITY
    violate(`task ${idle.task} of ${idle.queue} was ready for ${forMs} ms beside free credit`, { ids: [idle.task] })
  }

  #accountOf(session: string): Account {
    let account = this.#accounts.get(session)
    if (!account) {
      account = { credit: 0, queues: [], isConnected: true, isSilent: false, leases: new Set() }
      this.#accounts.set(session, account)
    }
    return account
  }

  #toldOf(connection: number): Told {
    let told = this.#told.get(connection)
    if (!told) {
      told = { credit: 0, leases: new Set() }
      this.#told.set(connection, told)
    }
    return told
  }
}

/** Whether the broker has ended a lease because its time was over. */
function hasExpired(fact: Fact): boolean {
  switch (fact.type) {
    case 'leaseReleased':
      return fact.lost === 'lease_expired'
    case 'attemptFailed':
    case 'taskDied':
      return fact.attempt?.how === 'lease_expired'
    default:
      return false
  }
}

function freeOf({ credit, leases }: Account): number {
  return credit - leases.size
}

/** A ready task that a connected session with free credit would take, found without the engine's own index. */
function idleIn(state: State): { queue: string; task: string } | undefined {
  for (const session of state.sessions.values()) {
    if (session.phase !== 'connected' || session.silence !== 'none' || freeCredit(session) <= 0) continue
    for (const { queue } of session.subscriptions) {
      const [task] = queue.ready.peek(1)
      if (task) return { queue: queue.name, task: task.id }
    }
  }
  return undefined
}
