import { type BrokerEvent, type BrokerState, brokerMachine } from '@sluice/machines'
import { type PathStep, pathsThrough, storyOf, transitionsFrom } from '@sluice/machines/paths'
import { expect, test } from 'vitest'
import { bytesOf, HeldJournal, type Peer, taskId, World } from './world.ts'

type Step = PathStep<typeof brokerMachine>

const EVENTS = ['recover', 'drain', 'fail', 'stop'] as const satisfies BrokerEvent[]

const paths = pathsThrough(brokerMachine, { events: EVENTS.map((type) => ({ type })) })

/** A journal whose content is there when the test says so. */
class SlowJournal extends HeldJournal {
  #isThere: (fails: boolean) => void = () => {}
  readonly #there = new Promise<void>((resolve, reject) => {
    this.#isThere = (fails) => (fails ? reject(new Error('damaged')) : resolve())
  })

  override load: HeldJournal['load'] = async (each) => {
    await this.#there
    return this.inner.load(each)
  }
  closes = 0
  override close: HeldJournal['close'] = () => {
    this.closes += 1
    return this.inner.close()
  }
  arrive(): void {
    this.#isThere(false)
  }
  break(): void {
    this.#isThere(true)
  }
}

/** A real host before its journal could be read, with a client from the moment that it takes one. */
class Rig {
  readonly journal = new SlowJournal()
  readonly world = new World()
  readonly started: Promise<Error | undefined>
  client: Peer | undefined
  hasFailed = false
  #sessions = 0

  constructor() {
    this.started = this.world.start({ journal: this.journal }).then(
      () => undefined,
      (error: Error) => error,
    )
  }

  isPossible({ before, event }: Step): boolean {
    return event.type !== 'recover' || before.value === 'starting'
  }

  async make({ before, event }: Step): Promise<void> {
    const { world, journal } = this
    const isStarting = before.value === 'starting'
    switch (event.type) {
      case 'recover':
        journal.arrive()
        expect(await this.started).toBeUndefined()
        this.client = await world.member()
        break
      case 'drain':
        world.host.drain()
        break
      case 'fail':
        this.hasFailed ||= before.value !== 'stopped'
        journal.failWith = new Error('disk full')
        if (isStarting) {
          journal.arrive()
          expect(await this.started).toBe(journal.failWith)
        } else {
          this.#sessions += 1
          world.host.apply({ type: 'openSession', session: `another-${this.#sessions}`, roles: ['producer'] })
          await world.during(world.host.flushed())
        }
        break
      case 'stop':
        if (isStarting) {
          journal.break()
          expect(await this.started).toMatchObject({ message: 'damaged' })
        }
        await world.during(world.host.stop())
    }
    await world.settle()
  }

  check({ after: { value } }: Step, story: string): void {
    const { world, client, journal, hasFailed } = this
    const state = value as BrokerState
    expect([world.host.status, world.api.health().status], story).toEqual([state, state])
    expect(client?.of('drain').length ?? 0, story).toBeLessThanOrEqual(1)
    if (state === 'ready' || state === 'draining') expect(client?.closedWith, story).toBeUndefined()
    else if (client) expect(client.closedWith?.code, story).toBe(hasFailed ? 4009 : 4006)
    const refusal = state === 'ready' ? undefined : hasFailed ? 4009 : 4006
    expect(world.peer().closedWith?.code, story).toBe(refusal)
    expect(world.failures.length, story).toBe(hasFailed ? 1 : 0)
    expect(journal.closes, story).toBe(state === 'stopped' ? 1 : 0)
    if (state === 'stopped') expect(world.timers, story).toBe(0)
  }

  /** To submit changes what is held, so it is tried where a path ends. */
  async checkEnd(state: string, story: string): Promise<void> {
    const { world } = this
    const [refused] = await world.during(
      world.api.submit('photos', undefined, [{ id: taskId(1), bytes: bytesOf('1') }]),
    )
    const expected = state === 'ready' ? undefined : state === 'read_only' ? 'read_only' : 'draining'
    expect(refused?.code, story).toBe(expected)
    // A start that was left waiting has to end with its test.
    this.journal.arrive()
    await this.started
  }
}

test('a real broker goes the way of its chart, whatever happens in whatever state', async () => {
  const walked = new Set<string>()
  for (const path of paths) {
    const rig = new Rig()
    const story = storyOf(path)
    let reached: Step['after'] | undefined
    for (const step of path) {
      if (step === path.at(-1) && !rig.isPossible(step)) break
      await rig.make(step)
      rig.check(step, story)
      reached = step.after
      if (step.transition !== undefined) walked.add(step.transition)
    }
    await rig.checkEnd(String(reached?.value ?? 'starting'), story)
  }
  const all = new Set(paths.flat().flatMap(({ before }) => transitionsFrom(before)))
  expect([...walked].sort()).toEqual([...all].sort())
})

test('a stop that comes while the journal is being read waits for that, and writes nothing of its own', async () => {
  const rig = new Rig()
  const { world, journal } = rig
  let isStopped = false
  const stopped = world.host.stop().then(() => {
    isStopped = true
  })
  await world.settle()
  expect([world.host.status, isStopped, journal.closes, journal.batches.length]).toEqual(['starting', false, 0, 0])
  journal.arrive()
  expect(await rig.started).toBeUndefined()
  await world.during(stopped)
  expect([world.host.status, journal.closes, world.timers]).toEqual(['stopped', 1, 0])
})

test('a broker that could read only a part of its journal does nothing that has fallen due in that part', async () => {
  const journal = new HeldJournal()
  const first = await World.started({ journal })
  const producer = await first.member()
  producer.submit(1, [1], 'null', { ttlMs: 1000 })
  await first.during(first.host.stop())
  const appends = journal.batches.length
  journal.load = async (each) => {
    await journal.inner.load(each)
    throw new Error('damaged')
  }
  const world = new World()
  world.nowMs += 60_000
  await expect(world.start({ journal })).rejects.toThrow('damaged')
  expect(world.host.state.tasks.size).toBe(1)
  await world.during(world.host.stop())
  expect([world.host.status, journal.batches.length, world.timers]).toEqual(['stopped', appends, 0])
})

test('a second stop waits for the first', async () => {
  const world = await World.started()
  const first = world.host.stop()
  expect(world.host.stop()).toBe(first)
  await world.during(first)
  expect(world.host.status).toBe('stopped')
})
