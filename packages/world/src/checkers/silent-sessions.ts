import type { Checker, Observation, Surroundings, Violate } from '../observation.ts'
import { Calm } from './calm.ts'
import type { Step } from './chronicle.ts'
import { isHonest } from './population.ts'
import type { Sources } from './sources.ts'

const REST_MS = 1000
const REST_MS_MAX = 10_000
/** How late a timer of an undisturbed broker may be. */
const SLACK_MS = 300

interface Session {
  isConnected: boolean
  silence: 'none' | 'silent' | 'resting'
  expiries: number
  /** Since when nothing has been heard from it, by the broker's clock. */
  silentSinceMs: number
  restUntilMs: number
}

/**
 * A session that let a lease expire is granted nothing until it is heard. Then it rests, longer with each expiry, and
 * the rest ends. The broker notices each message of a silent session.
 */
export class SilentSessions implements Checker {
  readonly rule = 'SESSION-6'
  readonly #sources: Sources
  readonly #calm = new Calm()
  /** If batches fill quickly, received input waits for an unknown time (HOST-9). */
  readonly #mayWait: boolean
  readonly #sessions = new Map<string, Session>()
  /** When a session was last heard, by the broker's clock. */
  readonly #heardAtMs = new Map<string, number>()

  constructor(sources: Sources) {
    this.#sources = sources
    this.#mayWait = sources.scenario.hosting?.stagedBytesMax !== undefined
  }

  see(observation: Observation, { brokerMs, state }: Surroundings, violate: Violate): void {
    const { chronicle, wire, scenario } = this.#sources
    this.#calm.see(observation)
    wire.see(observation)
    const steps = chronicle.see(observation)
    if (observation.type === 'heardByBroker') {
      const { session } = wire.connectionOf(observation)
      if (session !== undefined && isHonest(scenario, observation.node))
        this.#heardAtMs.set(session, brokerMs as number)
    }
    if (observation.type === 'recovered') this.#heardAtMs.clear()
    if (chronicle.isRetold) this.#sessions.clear()
    for (const step of steps) this.#take(step, chronicle.isRetold ? () => {} : violate)
    if (observation.type !== 'appending' || this.#calm.lastedMs(observation.atMs, 0) <= SLACK_MS) return
    for (const { id, phase, silence, restUntilMs } of state?.sessions.values() ?? [])
      if (phase === 'connected' && silence === 'resting' && restUntilMs + SLACK_MS < (brokerMs as number))
        violate(`session ${id} rests for longer than it has to`, this.#about(id))
  }

  #take({ fact, before }: Step, violate: Violate): void {
    switch (fact.type) {
      case 'sessionOpened':
        this.#sessions.set(fact.session, fresh())
        return
      case 'sessionResumed':
        this.#of(fact.session).isConnected = true
        return
      case 'sessionDisconnected':
        this.#of(fact.session).isConnected = false
        return
      case 'sessionClosed':
        this.#sessions.delete(fact.session)
        this.#heardAtMs.delete(fact.session)
        return
      case 'sessionHeard':
        this.#heard(fact.session, fact.atMs, fact.restUntilMs, violate)
        return
      case 'sessionRested': {
        const session = this.#of(fact.session)
        if (session.silence !== 'resting' || fact.atMs < session.restUntilMs)
          violate(`session ${fact.session} had rested before its time`, this.#about(fact.session))
        session.silence = 'none'
        return
      }
      case 'brokerStalled':
        for (const session of this.#sessions.values()) session.restUntilMs += fact.ms
        return
      case 'leaseGranted':
        this.#granted(fact.id, fact.session, fact.atMs, violate)
        return
      default:
    }
    if (before?.session === undefined) return
    const session = this.#of(before.session)
    if ('revoked' in fact && fact.revoked && fact.type !== 'taskCancelled') this.#expired(session, fact.atMs)
    else if (fact.type === 'taskSucceeded' || ('attempt' in fact && fact.attempt?.how === 'failed'))
      session.expiries = session.silence === 'silent' ? 1 : 0
  }

  #expired(session: Session, atMs: number): void {
    // Nothing is expected of a disconnected session.
    if (!session.isConnected || session.silence === 'silent') return
    session.expiries += 1
    session.silence = 'silent'
    session.silentSinceMs = atMs
  }

  #heard(id: string, atMs: number, restUntilMs: number, violate: Violate): void {
    const session = this.#of(id)
    const restMs = Math.min(REST_MS * 2 ** (session.expiries - 1), REST_MS_MAX)
    if (session.silence !== 'silent' || restUntilMs !== atMs + restMs)
      violate(
        `session ${id} is to rest for ${restUntilMs - atMs} ms, and was silent ${session.expiries} times`,
        this.#about(id),
      )
    session.silence = 'resting'
    session.restUntilMs = restUntilMs
  }

  #granted(task: string, id: string, atMs: number, violate: Violate): void {
    const { silence } = this.#of(id)
    if (silence !== 'none')
      violate(`task ${task} was granted to session ${id}, which was ${silence}`, {
        ids: [task],
        ...this.#about(id),
      })
    this.#judgeHeard(atMs, violate)
  }

  /** Everything before this time has been told. */
  #judgeHeard(atMs: number, violate: Violate): void {
    if (this.#mayWait) return
    for (const [id, session] of this.#sessions) {
      const heardAtMs = this.#heardAtMs.get(id)
      if (session.silence !== 'silent' || heardAtMs === undefined) continue
      if (heardAtMs <= session.silentSinceMs || heardAtMs >= atMs) continue
      violate(`session ${id} was heard after its lease had expired, and is taken to be silent`, this.#about(id))
      session.silentSinceMs = heardAtMs
    }
  }

  #of(id: string): Session {
    let session = this.#sessions.get(id)
    if (!session) {
      session = fresh()
      this.#sessions.set(id, session)
    }
    return session
  }

  #about(session: string): { nodes: string[] } {
    const { node } = this.#sources.wire.bySession.get(session) ?? {}
    return { nodes: node === undefined ? [] : [node] }
  }
}

function fresh(): Session {
  return { isConnected: true, silence: 'none', expiries: 0, silentSinceMs: 0, restUntilMs: 0 }
}
