import { CONNECTION_TIMINGS, type ConnectionEvent, type ConnectionTimings, connectionMachine } from '@sluice/machines'
import {
  type AfterEvent,
  afterEvent,
  type PathStep,
  pathOf,
  pathsThrough,
  stepFrom,
  storyOf,
  transitionsFrom,
} from '@sluice/machines/paths'
import { retryOf, type WireError } from '@sluice/protocol'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Connection } from '../src/connection.ts'
import { type SluiceError, silentLogger } from '../src/index.ts'
import type { SessionOwner } from '../src/session-owner.ts'
import { FakeWorld } from './fake-world.ts'

type Step = PathStep<typeof connectionMachine>

/** Silence is noticed well before a connection counts as stable, so that each can be waited for without the other. */
const HEARTBEAT_MS = 1000
const SILENT_MS = 2.5 * HEARTBEAT_MS

/** With the peer's last word before it, where it says one. */
const closed = (code: number, error?: Omit<WireError, 'message'>): ConnectionEvent => ({
  type: 'closed',
  code,
  reason: '',
  ...(error === undefined ? {} : { error: { ...error, message: 'no' } }),
})
const after = (state: string, delay: keyof ConnectionTimings) => afterEvent(connectionMachine, state, delay)

const events: (ConnectionEvent | AfterEvent)[] = [
  { type: 'start' },
  { type: 'opened' },
  { type: 'welcomed', session: 's1' },
  closed(1006),
  closed(4001),
  closed(4008),
  closed(1006, { code: 'unauthorized' }),
  closed(1006, { code: 'busy', retryAfterMs: 7000 }),
  closed(4008, { code: 'busy', retryAfterMs: 7000 }),
  { type: 'silent' },
  { type: 'drain', retryAfterMs: 3000 },
  { type: 'drained' },
  { type: 'wake' },
  { type: 'stop' },
  after('connecting', 'connectTimeoutMs'),
  after('handshaking', 'helloTimeoutMs'),
  after('ready.fresh', 'stableMs'),
  after('backingOff', 'backoffMs'),
]

/** The same draw as the fake world's. */
const input = { timings: CONNECTION_TIMINGS, random: () => 0.5 }

const paths = pathsThrough(connectionMachine, {
  events,
  input,
  // Counters grow without end: the walk tells states apart by what decides the next step, and the wait after it.
  key: ({ value, context: { session, error, retryAfterMs, askedMs, failures } }) => [
    value,
    session,
    error && retryOf(error.code),
    retryAfterMs,
    askedMs,
    Math.min(failures, 1),
  ],
})

/** Whether a peer, the owner or time can make the last event of a path happen where it is to happen. */
function isPossible(path: Step[]): boolean {
  const { before, event, transition } = path.at(-1) as Step
  const type: string = event.type
  if (type === 'start' || type === 'drained' || type === 'wake' || type === 'stop') return true
  // The deadline of another state is nobody's event.
  if (type.startsWith('xstate.after')) return transition !== undefined
  // Before the welcome the deadlines for it come first; with no socket nobody listens.
  if (type === 'silent') return before.matches('ready') || before.value === 'draining'
  return path.slice(0, -1).some((step) => effectsOf(step).some(({ type }) => type === 'openSocket'))
}

/** What the chart has its owner do. */
function effectsOf({ actions }: Step): readonly { type: string; params: unknown }[] {
  return actions
}

function stateOf({ value }: Step['after']): string {
  return typeof value === 'string' ? value : 'ready'
}

function isOpen(state: string): boolean {
  return state === 'ready' || state === 'draining'
}

/** A real connection on a fake socket and a clock that is told what to do. */
class Rig {
  readonly world = new FakeWorld()
  readonly failures: WireError[] = []
  readonly connection: Connection
  readonly #owner: SessionOwner
  /** What the owner was told, and what the chart says that it should have been. */
  readonly #told = { welcomes: 0, disconnections: 0, states: [] as string[] }
  readonly #owed = { welcomes: 0, disconnections: 0, states: [] as string[] }
  #expected = { sockets: 0, hellos: 0 }

  constructor() {
    const owner: SessionOwner = {
      role: 'producer',
      heldLeases: () => [],
      onWelcome: () => {
        this.#told.welcomes += 1
      },
      onMessage: () => true,
      onDrain: () => {},
      onDisconnected: () => {
        this.#told.disconnections += 1
      },
      onFailed: (error) => this.failures.push(error as SluiceError),
      onStateChange: (state) => this.#told.states.push(state),
      onHeartbeat: () => {},
      collect: () => {},
      waiting: () => 0,
    }
    this.connection = new Connection({ url: 'ws://broker', platform: this.world.platform, logger: silentLogger })
    this.connection.join(owner)
    this.#owner = owner
  }

  stop(): void {
    this.connection.stop(this.#owner)
  }

  async make({ before, event }: Step): Promise<void> {
    const { world, connection } = this
    switch (event.type) {
      case 'start':
        connection.start()
        break
      case 'opened':
        world.connection.open()
        break
      case 'welcomed':
        world.connection.say(world.welcomeMessage({ session: event.session, heartbeatMs: HEARTBEAT_MS }))
        break
      case 'closed':
        if (event.error !== undefined) world.connection.say({ type: 'error', ...event.error })
        world.connection.close(event.code, event.reason)
        break
      case 'drain':
        world.connection.say({ type: 'drain', retryAfterMs: event.retryAfterMs })
        break
      case 'drained':
        connection.drained(this.#owner)
        break
      case 'wake':
        connection.wake()
        break
      case 'stop':
        connection.stop(this.#owner)
        break
      case 'silent':
        world.connection.dead = true
        expect(await this.#untilChange(SILENT_MS)).toBe(SILENT_MS)
        break
      default:
        await this.#wait(event as AfterEvent, before)
    }
    await world.settle()
  }

  async #wait({ type }: AfterEvent, { context: { timings, delayMs } }: Step['before']): Promise<void> {
    const [, , delay] = type.split('.') as [string, string, keyof ConnectionTimings]
    const ms = delay === 'backoffMs' ? delayMs : timings[delay]
    if (delay !== 'stableMs') {
      expect(await this.#untilChange(ms)).toBe(ms)
      return
    }
    for (let passedMs = 0; passedMs < ms; passedMs += HEARTBEAT_MS) {
      await this.world.pass(HEARTBEAT_MS)
      this.world.connection.say({ type: 'pong', ref: 1 })
    }
  }

  /** Lets at most `ms` pass, up to the deadline that changes the state; answers how much did. */
  async #untilChange(ms: number): Promise<number> {
    const { clock } = this.world
    const fromMs = clock.nowMs
    const { state } = this.connection
    while (this.connection.state === state) {
      const timer = clock.next(fromMs + ms)
      if (timer === undefined) break
      timer.fn()
      await this.world.settle()
    }
    return clock.nowMs - fromMs
  }

  check(step: Step, story: string): void {
    const { before, after } = step
    const { world, connection } = this
    const state = stateOf(after)
    expect(connection.state, story).toBe(state)
    const was = stateOf(before)
    if (state !== was) this.#owed.states.push(state)
    if (state === 'ready' && was !== 'ready') this.#owed.welcomes += 1
    if (isOpen(was) && !isOpen(state)) this.#owed.disconnections += 1
    expect(this.#told, story).toEqual(this.#owed)
    for (const { type, params } of effectsOf(step)) {
      if (type === 'openSocket') this.#expected.sockets += 1
      else if (type === 'closeSocket') expect(world.connection.closedBy, story).toEqual(params)
      else if (type === 'sendHello') {
        this.#expected.hellos += 1
        const { session } = after.context
        expect(world.connection.last('hello').resume, story).toEqual(
          session === null ? undefined : { session, leases: [] },
        )
      }
    }
    const hellos = world.connections.flatMap((each) => each.of('hello')).length
    expect({ sockets: world.connections.length, hellos }, story).toEqual(this.#expected)
    expect(
      this.failures.map(({ code }) => code),
      story,
    ).toEqual(state === 'failed' ? [after.context.error?.code] : [])
  }

  /** A socket that was given up may open, speak and close as late as it likes, also while the next one is on its way. */
  async #checkDeafness(story: string): Promise<void> {
    const { world, connection } = this
    const { state } = connection
    const isCarried = state === 'connecting' || state === 'handshaking' || connection.open
    for (const old of isCarried ? world.connections.slice(0, -1) : world.connections) {
      old.dead = false
      old.open()
      old.say(world.welcomeMessage({ session: 'another' }), { type: 'drain', retryAfterMs: 1 })
      old.say({ type: 'error', code: 'unauthorized', message: 'no' })
      old.close(4001)
    }
    await world.settle()
    expect(connection.state, story).toBe(state)
    const hellos = world.connections.flatMap((each) => each.of('hello')).length
    expect({ sockets: world.connections.length, hellos }, story).toEqual(this.#expected)
  }

  /** What only time shows of the state that a path ends in. */
  async checkEnd({ after }: Step, story: string): Promise<void> {
    if (after.status === 'done') expect(this.world.clock.pending, story).toBe(0)
    if (after.value === 'backingOff') {
      expect(await this.#untilChange(after.context.delayMs), story).toBe(after.context.delayMs)
      expect(this.connection.state, story).toBe('connecting')
      this.#expected.sockets += 1
    }
    await this.#checkDeafness(story)
  }
}

async function walk(path: Step[]): Promise<void> {
  const rig = new Rig()
  const story = storyOf(path)
  for (const step of path) {
    await rig.make(step)
    rig.check(step, story)
  }
  await rig.checkEnd(path.at(-1) as Step, story)
}

test('a real connection goes the way of its chart, whatever happens in whatever state', async () => {
  const walked = new Set<string>()
  for (const path of paths) {
    if (!isPossible(path)) continue
    await walk(path)
    for (const { transition } of path) if (transition !== undefined) walked.add(transition)
  }
  const all = new Set(paths.flat().flatMap(({ before }) => transitionsFrom(before)))
  expect([...walked].sort()).toEqual([...all].sort())
})

test('a real connection goes the way of its chart, however long its life', async () => {
  // Stopping is walked above, and would end most lives early.
  const living = events.filter(({ type }) => type !== 'stop')
  const choices = fc.array(fc.nat(), { minLength: 10, maxLength: 40 })
  await fc.assert(
    fc.asyncProperty(choices, async (drawn) => {
      const path = pathOf(connectionMachine, [{ type: 'start' }], input)
      for (const choice of drawn) {
        const { after } = path.at(-1) as Step
        const next = living
          .map((event) => stepFrom(connectionMachine, after, event))
          .filter((step) => step.transition !== undefined && isPossible([...path, step]))
        const step = next[choice % next.length]
        if (step) path.push(step)
      }
      await walk(path)
    }),
    { numRuns: 40 },
  )
})

test('a connection that is stopped before it is started says so, and never opens a socket', async () => {
  const rig = new Rig()
  rig.stop()
  expect(rig.connection.state).toBe('stopped')
  rig.connection.start()
  await rig.world.settle()
  expect(rig.world.connections).toEqual([])
})
