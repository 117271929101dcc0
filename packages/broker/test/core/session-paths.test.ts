import { type SessionValue, sessionMachine } from '@sluice/machines'
import { type PathStep, pathsThrough, storyOf, transitionsFrom } from '@sluice/machines/paths'
import type { ConnectedState } from '@sluice/machines/states'
import { expect, test } from 'vitest'
import { AccessError, type Principal } from '../../src/core/access/access-control.ts'
import { Scopes } from '../../src/core/access/scopes.ts'
import { HeldJournal, type Peer, World } from './world.ts'

type Step = PathStep<typeof sessionMachine>
type EventType = Step['event']['type']

const SUBMIT_CREDIT = 3
const GRACE_MS = 10_000
const HELLO_TIMEOUT_MS = 2 * GRACE_MS
const HIGH_BYTES = 1000
const WORKER_CREDIT = 5

const EVENTS = [
  'authenticate',
  'open',
  'resume',
  'close',
  'lose',
  'bye',
  'expire',
  'overdraw',
  'answer',
  'stall',
  'flow',
  'drain',
] as const satisfies EventType[]

const paths = pathsThrough(sessionMachine, { events: EVENTS.map((type) => ({ type })) })

/** What no real session does, with the reason. */
const EXCEPTIONS: [RegExp, string][] = [
  [/service\.draining\) overdraw /, 'a session that was told of the drain has its submissions refused at once'],
  [
    /service\.draining\) resume /,
    'a broker that drains takes no connection; one that was open already is told as well',
  ],
]

/** Ways for a broker to close a connection, before the hello and after it. */
const CLOSINGS: Record<
  'awaitingHello' | 'authenticating' | 'connected',
  Record<string, (rig: Rig) => Promise<void> | void>
> = {
  awaitingHello: {
    'bytes that are no frame': ({ peer }) => peer.connection?.receive(new Uint8Array([255, 1, 2])),
    'another first message': ({ peer }) => peer.say({ type: 'ping', ref: 1 }),
    'a version of nobody': ({ peer }) => peer.hello({ versions: [99] }),
    'no hello in time': ({ world }) => world.advance(HELLO_TIMEOUT_MS),
  },
  authenticating: {
    'a token that is not accepted': ({ access }) => access.refuse(),
    'no answer about the token in time': ({ world }) => world.advance(HELLO_TIMEOUT_MS),
    'more than may wait': ({ peer }) => {
      for (let i = 0; i < 20; i += 1) peer.say({ type: 'ping', ref: i })
    },
  },
  connected: {
    'bytes that are no frame': ({ peer }) => peer.connection?.receive(new Uint8Array([255, 1, 2])),
    'a slow reader': (rig) => {
      rig.peer.bufferedBytes = 100 * HIGH_BYTES
      rig.peer.say({ type: 'ping', ref: 1 })
      return rig.letWrite()
    },
    'the end of the broker': async (rig) => {
      await rig.letWrite()
      await rig.world.during(rig.world.host.stop())
      await rig.start()
    },
    'a journal that fails': async (rig) => {
      const { world, journal } = rig
      await rig.letWrite()
      await world.during(world.host.flushed())
      journal.failWith = new Error('disk full')
      world.host.apply({ type: 'openSession', session: 'another', roles: ['producer'] })
      await world.during(world.host.flushed())
      journal.failWith = undefined
      await rig.start()
    },
  },
}

/** Says who is there when the test says so. */
class HeldAccess {
  #settle: { admit: () => void; refuse: () => void } | undefined

  authenticate(): Promise<Principal> {
    return new Promise((resolve, reject) => {
      const principal = { id: 'ada', scopes: new Scopes('admin'), issuedAtMs: 0, expiresAtMs: Number.MAX_SAFE_INTEGER }
      this.#settle = { admit: () => resolve(principal), refuse: () => reject(new AccessError('no')) }
    })
  }

  admit(): void {
    this.#settle?.admit()
  }

  refuse(): void {
    this.#settle?.refuse()
  }
}

/** A real host with one session in it, carried by `peer`. */
class Rig {
  readonly journal = new HeldJournal()
  readonly world = new World()
  readonly access = new HeldAccess()
  /** Whether the broker asks who is there. */
  readonly #asks: boolean
  peer!: Peer
  session: string | undefined
  #task = 0

  constructor(asks: boolean) {
    this.#asks = asks
  }

  static async started(asks = false): Promise<Rig> {
    const rig = new Rig(asks)
    await rig.start()
    rig.peer = rig.world.peer()
    return rig
  }

  start(): Promise<void> {
    return this.world.start({
      journal: this.journal,
      access: this.#asks ? this.access : undefined,
      engine: { submitCredit: SUBMIT_CREDIT, graceMs: GRACE_MS },
      config: {
        helloTimeoutMs: HELLO_TIMEOUT_MS,
        sendBufferBytesHigh: HIGH_BYTES,
        sendBufferBytesMax: 10 * HIGH_BYTES,
      },
    })
  }

  isPossible({ before, event, transition }: Step): boolean {
    const name = transition ?? ''
    if (EXCEPTIONS.some(([pattern]) => pattern.test(name))) return false
    const top = topOf(before.value)
    switch (event.type) {
      case 'authenticate':
      case 'open':
      case 'lose':
      case 'drain':
      case 'expire':
      case 'close':
        return true
      case 'resume':
      case 'bye':
        return top !== 'awaitingHello' && top !== 'authenticating'
      case 'answer':
        return transition !== undefined
      case 'overdraw':
      case 'stall':
      case 'flow':
        return top === 'connected'
    }
  }

  async make({ before, event, transition }: Step, closing?: (rig: Rig) => Promise<void> | void): Promise<void> {
    const { world, journal, peer } = this
    world.told.length = 0
    switch (event.type) {
      case 'authenticate':
        peer.hello()
        break
      case 'open':
        if (topOf(before.value) === 'authenticating') await this.#admit()
        else await this.#greet()
        break
      case 'resume':
        await this.#resume()
        break
      case 'close':
        await (closing ?? CLOSINGS.connected['bytes that are no frame'])?.(this)
        break
      case 'lose':
        peer.vanish()
        break
      case 'bye':
        peer.say({ type: 'bye' })
        break
      case 'expire':
        await world.advance(GRACE_MS)
        break
      case 'overdraw':
        // Two messages in two batches, so that one can be answered while the other is not.
        journal.isHolding = true
        this.#submit()
        await world.settle()
        this.#submit()
        break
      case 'answer':
        await this.letWrite()
        break
      case 'stall':
        peer.bufferedBytes = HIGH_BYTES + 1
        if (transition !== undefined && journal.held > 0) journal.release()
        else peer.say({ type: 'ping', ref: 1 })
        break
      case 'flow':
        peer.read()
        break
      case 'drain':
        world.host.drain()
    }
    await world.settle()
    // Whoever is gone no longer waits for the journal, and the next connection shall not either.
    if (topOf(before.value) === 'connected' && this.peer.closedWith) await this.letWrite()
  }

  async #greet(resume?: string): Promise<void> {
    this.peer.hello(resume === undefined ? {} : { resume: { session: resume, leases: [] } })
    await this.#admit()
  }

  async #admit(): Promise<void> {
    this.access.admit()
    await this.world.settle()
    if (this.peer.connection?.value === 'closed' || this.peer.closedWith) return
    this.session = this.peer.connection?.session
    this.peer.say({ type: 'credit', credit: WORKER_CREDIT, queues: ['unused'] })
  }

  /** On a new connection; where the broker takes none any more, after its restart. */
  async #resume(): Promise<void> {
    const { world, session, peer: old } = this
    await this.letWrite()
    if (world.host.status === 'draining') {
      await world.during(world.host.stop())
      await this.start()
    }
    const before = topOf(old.connection?.value as SessionValue)
    this.peer = world.peer()
    await this.#greet(session)
    if (before === 'connected') {
      expect(old.closedWith?.code).toBe(4005)
      expect(old.connection?.value).toBe('disconnected')
    }
    if (before !== 'closed') return
    // What is closed cannot be resumed: the hello was answered with a session of its own.
    expect(this.session).not.toBe(session)
    this.peer = old
    this.session = session
  }

  #submit(): void {
    const ids = Array.from({ length: SUBMIT_CREDIT + 1 }, (_, i) => this.#task + i)
    this.#task += ids.length
    this.peer.submit(this.#task, ids)
  }

  async letWrite(): Promise<void> {
    this.journal.isHolding = false
    while (this.journal.held > 0) this.journal.release()
    await this.world.settle()
  }

  check(step: Step, story: string): void {
    const { peer, world, session } = this
    const { value } = step.after
    const top = topOf(value)
    if (step.transition !== undefined) {
      const told = { machine: 'session', id: expect.any(String), event: step.event.type, ...toldStates(step) }
      expect(world.told, story).toContainEqual(told)
    }
    // A connection that is over knows what its session was then; how it goes on is the engine's.
    const isExpired = top === 'closed' && peer.connection?.value === 'disconnected'
    expect(isExpired ? 'closed' : peer.connection?.value, story).toEqual(value)
    expect(peer.closedWith === undefined, story).toBe(
      top === 'awaitingHello' || top === 'authenticating' || top === 'connected',
    )
    const held = session === undefined ? undefined : world.host.state.sessions.get(session)
    expect(held?.phase, story).toBe(top === 'connected' || top === 'disconnected' ? top : undefined)
    if (typeof value === 'string') return
    const { reading, delivery } = (value as { connected: { reading: string; delivery: string } }).connected
    expect(peer.isPaused, story).toBe(reading === 'paused')
    expect(held?.credit, story).toBe(delivery === 'stalled' ? 0 : WORKER_CREDIT)
  }
}

function topOf(value: object | string): string {
  return typeof value === 'string' ? value : 'connected'
}

const REGION_OF: Partial<Record<EventType, keyof ConnectedState>> = {
  overdraw: 'reading',
  answer: 'reading',
  stall: 'delivery',
  flow: 'delivery',
  drain: 'service',
}

/** The states that are told of a step: those of the region that the event is about, or of the session. */
function toldStates({ before, event, after }: Step): { from: string; to: string } {
  const region = REGION_OF[event.type]
  const at = (value: object | string): string =>
    region === undefined
      ? topOf(value)
      : `connected.${region}.${(value as { connected: ConnectedState }).connected[region]}`
  return { from: at(before.value), to: at(after.value) }
}

test('a real session goes the way of its chart, whatever happens in whatever state', async () => {
  const walked = new Set<string>()
  for (const path of paths) {
    const last = path.at(-1) as Step
    const top = topOf(last.before.value)
    const closings =
      last.event.type === 'close' && (top === 'awaitingHello' || top === 'authenticating' || top === 'connected')
        ? CLOSINGS[top]
        : { '': undefined }
    for (const [how, closing] of Object.entries(closings)) {
      const asks = path.some(({ event, transition }) => event.type === 'authenticate' && transition !== undefined)
      const rig = await Rig.started(asks)
      for (const step of path) {
        if (step === last && !rig.isPossible(step)) break
        await rig.make(step, step === last ? closing : undefined)
        rig.check(step, `${storyOf(path)} (${how})`)
        if (step.transition !== undefined) walked.add(step.transition)
      }
    }
  }
  const all = [...new Set(paths.flat().flatMap(({ before }) => transitionsFrom(before)))]
  const possible = all.filter((name) => !EXCEPTIONS.some(([pattern]) => pattern.test(name)))
  expect([...walked].sort()).toEqual(possible.sort())
  expect(all.length - possible.length).toBe(6)
})

test('[HOST-13] a connection that says hello while the broker drains is told of it at once', async () => {
  const rig = await Rig.started()
  rig.peer.hello()
  await rig.world.settle()
  const { session } = rig.peer
  const waiting = [rig.world.peer(), rig.world.peer()]
  rig.world.host.drain()
  waiting[0]?.hello()
  waiting[1]?.hello({ resume: { session, leases: [] } })
  await rig.world.settle()
  for (const peer of waiting) {
    expect(peer.connection?.value).toEqual({
      connected: { reading: 'reading', delivery: 'flowing', service: 'draining' },
    })
    expect(peer.heard.map(({ type }) => type)).toEqual(['welcome', 'drain'])
    peer.submit(1, [1])
    await rig.world.settle()
    expect(peer.of('error')).toMatchObject([{ code: 'draining', ref: 1 }])
  }
  expect(waiting[1]?.of('welcome')).toMatchObject([{ resumed: true, session }])
})
