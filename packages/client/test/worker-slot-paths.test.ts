import { type SlotEvent, type SlotState, workerSlotMachine } from '@sluice/machines'
import { type PathStep, pathsThrough, storyOf, transitionsFrom } from '@sluice/machines/paths'
import type { Start } from '@sluice/protocol'
import { expect, test, vi } from 'vitest'
import { createWorker, type TaskContext, type Worker } from '../src/index.ts'
import { Slot } from '../src/slot.ts'
import { bodiesOf, FakeWorld } from './fake-world.ts'

type Step = PathStep<typeof workerSlotMachine>

const EVENTS = ['deliver', 'start', 'finish', 'abort', 'release', 'lose', 'settle'] as const satisfies SlotEvent[]
/** Within one heartbeat nothing is silent; within the grace of a drain nothing is handed back. */
const HEARTBEAT_MS = 10_000
const TIME_LIMIT_MS = 2 * HEARTBEAT_MS
const GRACE_MS = 6 * HEARTBEAT_MS

const paths = pathsThrough(workerSlotMachine, { events: EVENTS.map((type) => ({ type })) })

/** Every real slot on its way through the table. */
const moves = vi.spyOn(Slot.prototype, 'move')

interface Call {
  ctx: TaskContext
  return: () => void
  throw: () => void
  isOver: boolean
}

type Way = (rig: Rig) => Promise<void> | void

const LOST: Record<string, Way> = {
  revoked: (rig) => rig.revoke(),
  'lost while away': (rig) => rig.reconnect({ resumed: true, lostLeases: [rig.lease] }),
  'lost with the session': (rig) => rig.reconnect({ resumed: false }),
  'not renewed': async (rig) => void (await rig.beat([rig.lease])),
}

/** The ways in which each event comes to a slot; those that the chart has in one state only are tried in others too. */
const WAYS: Record<SlotEvent, Record<string, Way>> = {
  deliver: { '': (rig) => rig.deliver() },
  start: { '': (rig) => rig.letStart() },
  finish: { returned: (rig) => rig.call?.return(), thrown: (rig) => rig.call?.throw() },
  abort: {
    ...LOST,
    'past its time limit': async (rig) => {
      await rig.world.pass(TIME_LIMIT_MS)
      rig.answer()
    },
    'handed back at the end of a drain': async (rig) => {
      void rig.worker.drain({ graceMs: 1 })
      await rig.world.pass(1)
      rig.answer()
    },
  },
  lose: LOST,
  release: {
    'a broker that drains': (rig) => rig.world.connection.say({ type: 'drain', retryAfterMs: 0 }),
    'a worker that drains': (rig) => void rig.worker.drain({ graceMs: GRACE_MS }),
  },
  settle: { accepted: (rig) => rig.answer(), refused: (rig) => rig.answer('lease_lost') },
}

/** What keeps a delivery from being begun, and what is asked of its start. */
const WAITS = {
  'the only place is taken': { concurrency: 1, start: undefined },
  'its begin has not left the socket': { concurrency: 2, start: 'announced' },
  'another handler runs': { concurrency: 2, start: 'alone' },
} as const satisfies Record<string, { concurrency: number; start: Start | undefined }>

type Wait = keyof typeof WAITS

/** A real worker. Another task runs until the one that is looked at shall start, or the socket is full until then. */
class Rig {
  readonly world = new FakeWorld()
  readonly #wait: Wait
  readonly #calls = new Map<number, Call>()
  readonly lease = 2
  readonly worker: Worker

  constructor(wait: Wait) {
    this.#wait = wait
    this.worker = createWorker({
      url: 'ws://broker',
      platform: this.world.platform,
      concurrency: WAITS[wait].concurrency,
      handlers: {
        q: (input, ctx) =>
          new Promise<void>((resolve, reject) => {
            const call: Call = { ctx, isOver: false, return: resolve, throw: () => reject(new Error('it broke')) }
            this.#calls.set((input as { lease: number }).lease, call)
          }).finally(() => {
            this.#callOf(input).isOver = true
          }),
      },
    })
    if (wait === 'its begin has not left the socket') this.world.bufferedBytes = 1
  }

  static async started(wait: Wait): Promise<Rig> {
    moves.mockClear()
    const rig = new Rig(wait)
    void rig.worker.start()
    await rig.world.welcome({ heartbeatMs: HEARTBEAT_MS, begins: true })
    rig.#deliver(1, undefined)
    await rig.world.settle()
    return rig
  }

  get call(): Call | undefined {
    return this.#calls.get(this.lease)
  }

  #callOf(input: unknown): Call {
    return this.#calls.get((input as { lease: number }).lease) as Call
  }

  deliver(): void {
    this.#deliver(this.lease, WAITS[this.#wait].start)
  }

  #deliver(lease: number, start: Start | undefined): void {
    this.world.connection.say({
      type: 'deliver',
      queue: 'q',
      leaseMs: 30_000,
      timeLimitMs: TIME_LIMIT_MS,
      ...(start && { start }),
      ids: [`01900000-0000-7000-8000-00000000000${lease}`],
      leases: [lease],
      bodies: bodiesOf({ lease }),
    })
  }

  async letStart(): Promise<void> {
    const { connection } = this.world
    this.#calls.get(1)?.return()
    await this.world.settle()
    connection.say({ type: 'settled', ref: connection.last('complete').ref, refused: [] })
    connection.socket.bufferedBytes = 0
    // Until it is looked at the socket again.
    await this.world.pass(5)
  }

  revoke(): void {
    this.world.connection.say({ type: 'revoke', leases: [this.lease], reason: 'expired' })
  }

  async reconnect(welcome: { resumed: boolean; lostLeases?: number[] }): Promise<void> {
    const { world } = this
    // Handing back was all that this worker still had to do.
    if (this.worker.state === 'stopped') return
    const { length } = world.connections
    world.connection.close(1006)
    while (world.connections.length === length) await world.pass(50)
    await world.welcome({ heartbeatMs: HEARTBEAT_MS, begins: true, ...welcome })
  }

  /** Lets a heartbeat come and answers it; tells which leases it named. */
  async beat(lost: number[]): Promise<number[]> {
    const { world } = this
    const before = world.connection.of('heartbeat').length
    await world.pass(HEARTBEAT_MS)
    const beats = world.connection.of('heartbeat').slice(before)
    for (const { ref } of beats) world.connection.say({ type: 'renewed', ref, lost })
    await world.settle()
    return beats.flatMap(({ leases }) => leases)
  }

  /** Answers what was said last of the lease. */
  answer(refusedAs?: 'lease_lost'): void {
    const { connection } = this.world
    const said = connection.received.findLast(
      (message) =>
        (message.type === 'complete' && message.leases.includes(this.lease)) ||
        (message.type === 'fail' && message.failures.some(({ lease }) => lease === this.lease)) ||
        (message.type === 'release' && message.leases.includes(this.lease)),
    )
    const ref = said && 'ref' in said ? said.ref : 999
    const refused = refusedAs === undefined ? [] : [{ index: 0, error: { code: refusedAs, message: 'no' } }]
    connection.say({ type: 'settled', ref, refused })
  }

  /** What the slot says of itself; one that has not moved yet is seen in the figures of its worker only. */
  get state(): SlotState {
    const slots = moves.mock.contexts as Slot[]
    const moved = slots.findLast(({ lease }) => lease === this.lease)
    return moved?.state ?? (this.observe() === 'queued' ? 'queued' : 'idle')
  }

  /** What a program and its handler see of the state. */
  observe(): SlotState {
    const { call } = this
    if (call && !call.isOver) return call.ctx.signal.aborted ? 'aborting' : 'running'
    const { queued, settling } = this.worker.stats()
    if (queued > 0) return 'queued'
    return settling > 0 ? 'settling' : 'idle'
  }
}

/** Whether the event can come to a slot in this state. */
function isPossible({ before: { value }, event: { type }, transition }: Step): boolean {
  if (transition !== undefined || type === 'release' || type === 'settle') return true
  // A running slot that loses its lease is aborted, and a waiting one that is aborted has lost it: the chart has a name each.
  return type === 'lose' && value !== 'running'
}

/** An answer that is under way is not lost by a renewal that fails: its verdict is to come. */
function waysOf({ before: { value }, event: { type } }: Step): [string, Way][] {
  return Object.entries(WAYS[type]).filter(([name]) => value !== 'settling' || name !== 'not renewed')
}

/** Each choice of a way for each step of a path. */
function choices(path: Step[]): [string, Way][][] {
  return path.reduce<[string, Way][][]>(
    (chosen, step) => chosen.flatMap((before) => waysOf(step).map((way) => [...before, way])),
    [[]],
  )
}

test.each(Object.keys(WAITS) as Wait[])(
  'a real slot goes the way of its chart, whatever happens in whatever state, and waits because %s',
  async (wait) => {
    const walked = new Set<string>()
    for (const path of paths) {
      if (!isPossible(path.at(-1) as Step)) continue
      for (const ways of choices(path)) {
        const rig = await Rig.started(wait)
        const story = `${storyOf(path)} (${ways.map(([name]) => name).join(', ')})`
        for (const [i, step] of path.entries()) {
          await ways[i]?.[1](rig)
          await rig.world.settle()
          expect([rig.state, rig.observe()], story).toEqual([step.after.value, step.after.value])
          if (step.transition !== undefined) walked.add(step.transition)
        }
        const isWork = ['queued', 'running'].includes(String(path.at(-1)?.after.value))
        expect((await rig.beat([])).includes(rig.lease), story).toBe(isWork)
      }
    }
    const all = new Set(paths.flat().flatMap(({ before }) => transitionsFrom(before)))
    expect([...walked].sort()).toEqual([...all].sort())
  },
)
