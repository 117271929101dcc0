import { type ProducerState, producerMachine } from '@sluice/machines'
import { afterEvent, type PathStep, pathsThrough, storyOf, transitionsFrom } from '@sluice/machines/paths'
import { expect, test } from 'vitest'
import { createClient } from '../src/index.ts'
import { FakeWorld } from './fake-world.ts'

type Step = PathStep<typeof producerMachine>

const DRAIN_MS = 5000

const paths = pathsThrough(producerMachine, {
  events: [
    { type: 'connected' },
    { type: 'disconnected' },
    { type: 'drain' },
    { type: 'close', drainMs: DRAIN_MS },
    { type: 'flushed' },
    { type: 'fail' },
    afterEvent(producerMachine, 'closing', 'drainMs'),
  ],
})

/** What no real producer can do, with the reason. */
const EXCEPTIONS: Record<string, string> = {
  'paused fail closed': 'a broker that drains wants to be seen again, so no close of that connection is the last word',
}

/** A real client with a submission that is not answered: closing has something to wait for. */
class Rig {
  readonly world = new FakeWorld()
  readonly client = createClient({ url: 'ws://broker', platform: this.world.platform })
  #settled = 0

  constructor() {
    this.#submit()
  }

  #submit(): void {
    const settle = () => {
      this.#settled += 1
    }
    this.client.submit('q', null).then(settle, settle)
  }

  isPossible({ before, event, transition }: Step): boolean {
    const isOpen = this.client.state === 'ready' || this.client.state === 'draining'
    switch (event.type as string) {
      case 'connected':
        return !isOpen && before.status !== 'done'
      case 'disconnected':
      case 'drain':
        return isOpen
      case 'close':
        return true
      case 'flushed':
        return before.value === 'closing'
      case 'fail':
        return this.client.state !== 'draining' && before.status !== 'done'
      default:
        return transition !== undefined
    }
  }

  async make({ event }: Step): Promise<void> {
    const { world, client } = this
    switch (event.type) {
      case 'connected':
        await this.#connecting()
        await world.welcome()
        break
      case 'disconnected':
        world.connection.close(1006)
        break
      case 'drain':
        world.connection.say({ type: 'drain', retryAfterMs: 0 })
        break
      case 'close':
        void client.close({ drainMs: event.drainMs })
        break
      case 'flushed':
        await this.#flush()
        break
      case 'fail':
        await this.#connecting()
        world.connection.close(4001)
        break
      default:
        await world.pass(DRAIN_MS - 1)
        expect(await this.observe()).toBe('closing')
        await world.pass(1)
    }
    await world.settle()
  }

  /** Until there is a socket that the broker may answer on. */
  async #connecting(): Promise<void> {
    if (this.client.state === 'draining') this.world.connection.close(1006)
    await this.world.settle()
    while (this.client.state === 'backingOff') await this.world.pass(50)
  }

  async #flush(): Promise<void> {
    const { world, client } = this
    if (client.state !== 'ready' && client.state !== 'draining') {
      await this.#connecting()
      await world.welcome()
    }
    world.connection.say({ type: 'submitted', ref: world.connection.last('submit').ref, refused: [] })
  }

  /** What a program sees of the state: what becomes of a submission now, and whether closing is over. */
  async observe(): Promise<ProducerState> {
    const { world, client } = this
    const settledBefore = this.#settled
    const sentBefore = world.connection.of('submit').length
    this.#submit()
    await world.settle()
    if (world.connection.of('submit').length > sentBefore) return 'online'
    if (this.#settled === settledBefore) return client.state === 'draining' ? 'paused' : 'offline'
    let isClosed = false
    void client.close({ drainMs: DRAIN_MS }).then(() => (isClosed = true))
    await world.settle()
    return isClosed ? 'closed' : 'closing'
  }
}

test('a real producer goes the way of its chart, whatever happens in whatever state', async () => {
  const walked = new Set<string>()
  for (const path of paths) {
    const rig = new Rig()
    const last = path.at(-1) as Step
    let { before: reached } = last
    for (const step of path) {
      if (step === last && !rig.isPossible(step)) break
      await rig.make(step)
      reached = step.after
      if (step.transition !== undefined) walked.add(step.transition)
    }
    // To look is to submit, which is a thing of its own: each beginning of a path is one of the paths.
    expect(await rig.observe(), storyOf(path)).toBe(reached.value)
    if (reached.status === 'done') expect(rig.world.clock.pending, storyOf(path)).toBe(0)
  }
  const all = new Set(paths.flat().flatMap(({ before }) => transitionsFrom(before)))
  expect([...walked, ...Object.keys(EXCEPTIONS)].sort()).toEqual([...all].sort())
})

test('a broker that drains cannot make a producer fail: it is come back to', async () => {
  const rig = new Rig()
  await rig.world.welcome()
  rig.world.connection.say({ type: 'drain', retryAfterMs: 0 })
  rig.world.connection.close(4001)
  await rig.world.pass(1000)
  expect(rig.world.connections).toHaveLength(2)
  await rig.world.welcome()
  expect(await rig.observe()).toBe('online')
})
