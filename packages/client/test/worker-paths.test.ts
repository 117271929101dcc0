import { creditOf, type WorkerState, workerMachine } from '@sluice/machines'
import {
  type AfterEvent,
  afterEvent,
  type PathStep,
  pathsThrough,
  storyOf,
  transitionsFrom,
} from '@sluice/machines/paths'
import { expect, test } from 'vitest'
import { createWorker } from '../src/index.ts'
import { bodiesOf, FakeWorld } from './fake-world.ts'

type Step = PathStep<typeof workerMachine>

const GRACE_MS = 1000
const SETTLE_MS = 5000
const CREDIT = 2

const paths = pathsThrough(workerMachine, {
  input: { creditMax: CREDIT, settleMs: SETTLE_MS },
  events: [
    { type: 'connected' },
    { type: 'drain', graceMs: GRACE_MS },
    { type: 'emptied' },
    { type: 'close' },
    { type: 'fail' },
    afterEvent(workerMachine, 'draining', 'graceMs'),
    afterEvent(workerMachine, 'aborting', 'settleMs'),
  ],
})

/** A real worker whose handler runs until it is told to return, so that a drain has something to wait for. */
class Rig {
  readonly world = new FakeWorld()
  isClosed = false
  #finish: () => void = () => {}
  readonly worker = createWorker({
    url: 'ws://broker',
    platform: this.world.platform,
    concurrency: 1,
    prefetch: CREDIT - 1,
    handlers: {
      q: () =>
        new Promise<void>((resolve) => {
          this.#finish = resolve
        }),
    },
  })

  constructor() {
    void this.worker.start()
    void this.worker.closed.then(() => (this.isClosed = true))
  }

  isPossible({ before, event, transition }: Step): boolean {
    switch (event.type as string) {
      case 'connected':
      case 'fail':
        return before.status !== 'done'
      case 'drain':
      case 'close':
        return true
      case 'emptied':
        return before.value !== 'starting' && before.status !== 'done'
      default:
        return transition !== undefined
    }
  }

  async make({ before, event }: Step): Promise<void> {
    const { world, worker } = this
    switch (event.type) {
      case 'connected':
        await this.#connect(before.value as WorkerState)
        break
      case 'drain':
        void worker.drain({ graceMs: event.graceMs })
        break
      case 'emptied':
        await this.#empty()
        break
      case 'close':
        void worker.close()
        break
      case 'fail':
        world.connection.close(4001)
        break
      default: {
        const ms = (event as AfterEvent).type.includes('graceMs') ? GRACE_MS : SETTLE_MS
        await world.pass(ms - 1)
        expect(worker.state).toBe(before.value)
        await world.pass(1)
      }
    }
    await world.settle()
  }

  /** For the first time with a task to do, later on with the session resumed. */
  async #connect(state: WorkerState): Promise<void> {
    const { world } = this
    if (state === 'starting') {
      await world.welcome()
      const ids = ['01900000-0000-7000-8000-000000000001']
      const bodies = bodiesOf(null)
      world.connection.say({ type: 'deliver', queue: 'q', leaseMs: 30_000, ids, leases: [1], bodies })
      return
    }
    world.connection.close(1006)
    const { length } = world.connections
    while (world.connections.length === length) await world.pass(50)
    await world.welcome({ resumed: true })
  }

  /** What is held is answered for, and the broker confirms it. */
  async #empty(): Promise<void> {
    const { connection } = this.world
    this.#finish()
    await this.world.settle()
    const settlements = [...connection.of('complete'), ...connection.of('release')]
    expect(settlements).toHaveLength(1)
    for (const { ref } of settlements) connection.say({ type: 'settled', ref, refused: [] })
  }

  check({ after: { value, status } }: Step, story: string): void {
    const { world, worker } = this
    const isStopped = status === 'done'
    expect(worker.state, story).toBe(value)
    expect(this.isClosed, story).toBe(isStopped)
    const credits = world.connections.flatMap((connection) => connection.of('credit'))
    if (credits.length > 0 && !isStopped)
      expect(credits.at(-1)?.credit, story).toBe(creditOf(value as WorkerState, CREDIT))
    if (isStopped) expect(world.clock.pending, story).toBe(0)
  }
}

test('a real worker goes the way of its chart, whatever happens in whatever state', async () => {
  const walked = new Set<string>()
  for (const path of paths) {
    const rig = new Rig()
    const story = storyOf(path)
    for (const step of path) {
      if (step === path.at(-1) && !rig.isPossible(step)) break
      await rig.make(step)
      rig.check(step, story)
      if (step.transition !== undefined) walked.add(step.transition)
    }
  }
  const all = new Set(paths.flat().flatMap(({ before }) => transitionsFrom(before)))
  expect([...walked].sort()).toEqual([...all].sort())
})
