import type { Fact } from '../journal/facts.ts'
import type { Checker, Observation, ObservationOf, Surroundings, Violate } from '../observation.ts'
import { SILENT_CODE } from './client-constants.ts'
import { FramesUnderWay } from './frames-under-way.ts'
import { LateNodes } from './late-nodes.ts'
import { isHonest, longestOf } from './population.ts'
import type { Sources } from './sources.ts'

/** How much of a lease the network and the disk may take for each of its heartbeats, besides what a scenario draws. */
const SLACK_MS = 300
/** A lease survives two lost or late heartbeats. */
const BEATS_PER_LEASE = 3
/** How long a delivery may take on its way through a worker. */
const JUST_MS = 1000
/**
 * A client pings after one silent period and gives up after two and a half. A link on which one frame delays the
 * answer for longer is not covered.
 */
const FRAME_PERIODS = 1.5
/** Pings of one client in one period: its own, and those that test the connection after a sleep. */
const PINGS_MAX = 3

/**
 * Duties of workers, producers and the broker. If nothing goes wrong, no lease of an honest worker expires and no
 * connection falls silent. A worker that leaves asks for nothing more and keeps nothing that it has not begun. No
 * client pings more often than asked.
 */
export class ClientDuties implements Checker {
  readonly rule = 'WORLD-3'
  readonly #sources: Sources
  /** Shorter leases may expire on their way. Infinite if a fault is planned. */
  readonly #leaseMsMin: number
  /** Workers that have stopped, or lost a connection, for any reason. */
  readonly #disturbed = new Set<string>()
  /** Nodes that were asked to leave. */
  readonly #asked = new Set<string>()
  readonly #late = new LateNodes()
  /** Connections of workers that have said that they want nothing more, for now or for good. */
  readonly #sated = new Map<number, string>()
  readonly #started = new Set<string>()
  readonly #released = new Set<number>()
  /** Leases that have arrived and are not begun, handed back or lost, by node and lease: since when. */
  readonly #idle = new Map<string, Map<number, number>>()
  readonly #heartbeatMs = new Map<number, number>()
  readonly #pings = new Map<number, number[]>()
  readonly #underWay: FramesUnderWay

  constructor(sources: Sources) {
    this.#sources = sources
    this.#underWay = new FramesUnderWay(sources.scenario.network)
    const { faultRates, script = [], network, journal, hosting } = sources.scenario
    const isCalm =
      faultRates === undefined &&
      script.length === 0 &&
      network.bytesPerSecond === undefined &&
      hosting?.stagedBytesMax === undefined
    const wayMs =
      2 * longestOf(network.delayMs) + 2 * longestOf(journal.appendMs) + longestOf(journal.readMs) + SLACK_MS
    this.#leaseMsMin = isCalm ? BEATS_PER_LEASE * wayMs : Number.POSITIVE_INFINITY
  }

  see(observation: Observation, _: Surroundings, violate: Violate): void {
    const { chronicle, wire } = this.#sources
    wire.see(observation)
    this.#late.see(observation)
    this.#underWay.see(observation)
    for (const { fact, before } of chronicle.see(observation)) {
      if (before?.session !== undefined) this.#judgeEnd(fact, before.session, before.options.leaseMs, violate)
    }
    switch (observation.type) {
      case 'faultStarted': {
        const { fault } = observation
        // A paused worker hears of it later.
        if (fault.type === 'restart' && !this.#late.isLate(fault.node)) this.#asked.add(fault.node)
        break
      }
      case 'nodeStarted':
        this.#asked.delete(observation.node)
        break
      case 'nodeStopped':
        this.#asked.delete(observation.node)
        this.#disturbed.add(observation.node)
        this.#idle.delete(observation.node)
        for (const [connection, node] of this.#sated) if (node === observation.node) this.#sated.delete(connection)
        break
      case 'disconnected':
        // A client that is read from and answered has no reason to take the connection for dead.
        if (
          observation.code === SILENT_CODE &&
          Number.isFinite(this.#leaseMsMin) &&
          this.#isSound(observation.node) &&
          !this.#isTooSlow(observation.connection)
        )
          violate(`${observation.node} gave up a connection as silent, and nothing had gone wrong`, {
            nodes: [observation.node],
          })
        this.#disturbed.add(observation.node)
        this.#pings.delete(observation.connection)
        this.#sated.delete(observation.connection)
        this.#underWay.forget(observation.connection)
        break
      case 'handlerStarted':
        this.#begun(observation, violate)
        this.#started.add(`${observation.node} ${observation.id} ${observation.attempt}`)
        for (const lease of this.#idleOf(observation.node).keys()) {
          if (wire.leases.get(lease)?.id === observation.id) this.#idleOf(observation.node).delete(lease)
        }
        break
      case 'heardByNode':
        this.#heard(observation)
        break
      case 'sentToBroker':
        if (isHonest(this.#sources.scenario, observation.node)) this.#said(observation, violate)
        break
      default:
    }
  }

  #heard({ node, connection, message, atMs }: ObservationOf<'heardByNode'>): void {
    const idle = this.#idleOf(node)
    if (message.type === 'deliver') for (const lease of message.leases) idle.set(lease, atMs)
    else if (message.type === 'revoke') for (const lease of message.leases) idle.delete(lease)
    else if (message.type === 'renewed') for (const lease of message.lost) idle.delete(lease)
    else if (message.type === 'welcome') {
      this.#heartbeatMs.set(connection, message.heartbeatMs)
      for (const lease of message.resumed ? message.lostLeases : [...idle.keys()]) idle.delete(lease)
    }
  }

  #begun({ node, id }: ObservationOf<'handlerStarted'>, violate: Violate): void {
    if (!isHonest(this.#sources.scenario, node)) return
    for (const sated of this.#sated.values()) {
      if (sated === node)
        violate(
          `${node} has said that it wants no more tasks and begins task ${id}`,
          { ids: [id], nodes: [node] },
          'CLIENT-8',
        )
    }
  }

  #idleOf(node: string): Map<number, number> {
    let idle = this.#idle.get(node)
    if (!idle) {
      idle = new Map()
      this.#idle.set(node, idle)
    }
    return idle
  }

  #isSound(node: string): boolean {
    return isHonest(this.#sources.scenario, node) && !this.#disturbed.has(node)
  }

  /** Whether one frame occupies the link for longer than a client waits for the answer to a ping. */
  #isTooSlow(connection: number): boolean {
    const heartbeatMs = this.#heartbeatMs.get(connection) ?? Number.POSITIVE_INFINITY
    return this.#underWay.longestMs(connection) > FRAME_PERIODS * heartbeatMs
  }

  #judgeEnd(fact: Fact, session: string, leaseMs: number, violate: Violate): void {
    const how = 'attempt' in fact ? fact.attempt?.how : undefined
    const node = this.#sources.wire.bySession.get(session)?.node
    if (how !== 'lease_expired' || !('id' in fact) || node === undefined || leaseMs < this.#leaseMsMin) return
    if (this.#disturbed.has(node) || !isHonest(this.#sources.scenario, node)) return
    violate(`a lease of ${node} on task ${fact.id} expired after ${leaseMs} ms, and nothing had gone wrong`, {
      ids: [fact.id],
      nodes: [node],
    })
  }

  #said(observation: ObservationOf<'sentToBroker'>, violate: Violate): void {
    const { node, connection, message } = observation
    switch (message.type) {
      case 'credit':
        if (message.credit === 0) this.#sated.set(connection, node)
        else {
          // The worker had no free concurrency for a while.
          this.#sated.delete(connection)
          if (this.#asked.has(node) && !this.#late.isLate(node))
            violate(`${node} was asked to leave and asks for ${message.credit} tasks`, { nodes: [node] }, 'CLIENT-9')
        }
        break
      case 'release':
        for (const lease of message.leases) {
          this.#released.add(lease)
          this.#idleOf(node).delete(lease)
        }
        break
      case 'bye': {
        // A delivery that has just arrived may be handed back after the goodbye.
        const kept = [...this.#idleOf(node)].filter(([, atMs]) => observation.atMs - atMs > JUST_MS)
        if (this.#sated.has(connection) && kept.length > 0)
          violate(
            `${node} has left and kept ${kept.length} leases that it had not begun`,
            { nodes: [node] },
            'CLIENT-9',
          )
        break
      }
      case 'heartbeat':
        if (this.#sated.has(connection)) this.#judgeKept(node, message.leases, violate)
        break
      case 'ping':
        this.#pinged(observation, violate)
        break
      default:
    }
  }

  #judgeKept(node: string, leases: readonly number[], violate: Violate): void {
    for (const lease of leases) {
      const told = this.#sources.wire.leases.get(lease)
      if (told?.node !== node || this.#released.has(lease)) continue
      if (this.#started.has(`${node} ${told.id} ${told.attempt}`)) continue
      violate(
        `${node} wants no more tasks and keeps lease ${lease} of task ${told.id}, which it has not begun`,
        {
          ids: [told.id],
          nodes: [node],
        },
        'CLIENT-8',
      )
    }
  }

  #pinged({ node, connection, atMs }: ObservationOf<'sentToBroker'>, violate: Violate): void {
    const heartbeatMs = this.#heartbeatMs.get(connection)
    if (heartbeatMs === undefined) return
    const recent = (this.#pings.get(connection) ?? []).filter((at) => atMs - at < heartbeatMs * 0.9)
    recent.push(atMs)
    this.#pings.set(connection, recent)
    if (recent.length > PINGS_MAX)
      violate(
        `${node} pinged ${recent.length} times within ${heartbeatMs} ms on connection ${connection}`,
        {
          nodes: [node],
        },
        'CLIENT-1',
      )
  }
}
