import { expect, test } from 'vitest'
import type { Event } from '../src/index.ts'
import { createState, mustBeDurable, replay } from '../src/index.ts'
import { Harness, only, seededRandom, type Told } from './harness.ts'

type Delivery = Extract<Told, { type: 'deliver' }>

function deliveries(harness: Harness): Delivery[] {
  return harness.told.filter((told) => told.type === 'deliver')
}

/** Delivers what there is and loses the session that has it, after it has begun so many of its leases. */
function lose(harness: Harness, session: string, begun = Number.POSITIVE_INFINITY): Delivery[] {
  harness.told = []
  harness.teller(session)
  harness.dispatch()
  const delivered = deliveries(harness)
  for (const { lease } of delivered.slice(0, begun)) harness.begin(session, lease)
  harness.apply({ type: 'disconnectSession', session })
  harness.advance(50)
  return delivered
}

const startOf = (deliveries: readonly Delivery[]) => deliveries.map(({ id, start }) => [id, start])

test('[LEASE-8] a task that was lost once is announced, and lost twice in a row it runs alone', () => {
  const harness = new Harness({ config: { graceMs: 50 } })
  harness.submit('a', { retry: { kind: 'fixed', attemptsMax: 9, delayMs: 0 } })
  const starts = ['w1', 'w2', 'w3', 'w4'].map((name) => {
    const start = lose(harness, name)[0]?.start
    harness.advance(60_000)
    return start
  })
  expect(starts).toEqual([undefined, 'announced', 'alone', 'alone'])
})

test('[LEASE-8] a failed attempt in between ends the row', () => {
  const harness = new Harness({ config: { graceMs: 50 } })
  harness.submit('a', { retry: { kind: 'fixed', delayMs: 0, attemptsMax: 9 } })
  lose(harness, 'w1')
  lose(harness, 'w2')
  harness.advance(60_000)
  harness.teller('w3')
  harness.dispatch()
  harness.fail('w3', harness.leaseOf('a'))
  harness.told = []
  harness.dispatch()
  expect(deliveries(harness)[0]?.start).toBeUndefined()
})

test('[LEASE-8] the last allowed attempt is announced, and alone where the one before was lost', () => {
  const harness = new Harness({ config: { graceMs: 50 } })
  harness.submit('only', { retry: { kind: 'none' } })
  harness.submit('two', { retry: { kind: 'fixed', attemptsMax: 2, delayMs: 0 } })
  expect(startOf(lose(harness, 'w1'))).toEqual([
    ['only', 'announced'],
    ['two', undefined],
  ])
  expect(startOf(lose(harness, 'w2'))).toEqual([['two', 'alone']])
})

test('[LEASE-8] what came back unbegun or handed back is announced', () => {
  const harness = new Harness({ config: { graceMs: 50 } })
  harness.submit(['begun', 'unbegun', 'handed'])
  harness.teller('w')
  harness.dispatch()
  harness.release('w', harness.leaseOf('handed'))
  harness.begin('w', harness.leaseOf('begun'))
  harness.apply({ type: 'disconnectSession', session: 'w' })
  harness.advance(50)
  expect(startOf(lose(harness, 'w2'))).toEqual([
    ['begun', 'announced'],
    ['unbegun', 'announced'],
    ['handed', 'announced'],
  ])
})

test('[LEASE-8] [LEASE-9] the tasks of one grant have the same terms', () => {
  const harness = new Harness()
  harness.submit(['a1', 'a2'])
  harness.submit(['b1', 'b2'], { retry: { kind: 'none' } })
  harness.submit('b3', { retry: { kind: 'none' }, leaseMs: 200 })
  harness.submit(['c1', 'c2'], { ttlMs: 500 })
  harness.submit('a3', { leaseMs: 200 })
  harness.submit('a4')
  harness.worker('w', 20)
  harness.dispatch()
  const grants = harness.events.filter((event) => event.type === 'leasesGranted')
  expect(
    grants.map(({ tasks, start, durable }) => [tasks.map((seq) => harness.numbered(seq).id), start, durable]),
  ).toEqual([
    [['a1', 'a2'], undefined, undefined],
    [['b1', 'b2', 'b3'], 'announced', true],
    [['c1', 'c2'], undefined, true],
    [['a3', 'a4'], undefined, undefined],
  ])
})

/** What a restart finds whose crash has lost all that need not be durable. */
function crashed(harness: Harness): Harness {
  const last = harness.events.findLastIndex((event: Event) => mustBeDurable(event))
  const after = new Harness({ state: createState(harness.state.config) })
  for (const event of harness.events.slice(0, last + 1)) replay(after.state, event)
  after.nowMs = harness.nowMs
  after.apply({ type: 'start' })
  return after
}

test('[LEASE-9] a task that may be tried once is delivered once, whatever a crash forgets', () => {
  const harness = new Harness({ config: { graceMs: 50 } })
  harness.submit('a', { retry: { kind: 'none' } })
  harness.worker('w')
  expect(harness.dispatch()).toEqual(['a'])
  const after = crashed(harness)
  expect(after.task('a')).toMatchObject({ attempts: 1, phase: { state: 'leased' } })
  expect(only(after.advance(50), 'taskDied')).toMatchObject({ id: 'a', reason: 'lease_expired' })
})

test('[LEASE-9] the last of several attempts is made once, and the one before it may go uncounted', () => {
  const harness = new Harness({ config: { graceMs: 50 } })
  harness.submit('a', { retry: { kind: 'fixed', attemptsMax: 2, delayMs: 0 } })
  harness.worker('w')
  harness.dispatch()
  expect(crashed(harness).task('a').attempts).toBe(0)
  harness.fail('w', harness.leaseOf('a'))
  harness.dispatch()
  expect(crashed(harness).task('a')).toMatchObject({ attempts: 2, phase: { state: 'leased' } })
})

test('[READY-5] [LEASE-9] what was delivered in time is not found too old after a crash', () => {
  const harness = new Harness()
  harness.submit('a', { ttlMs: 100 })
  harness.worker('w')
  harness.dispatch()
  const after = crashed(harness)
  expect(after.advance(1000).filter((event) => event.type === 'taskDied')).toEqual([])
  expect(after.stateOf('a')).toBe('leased')
})

test('[LEASE-9] a task with a time-to-live that is granted again waits for its grant again', () => {
  const harness = new Harness()
  harness.submit('a', { ttlMs: 100 })
  harness.worker('w')
  harness.dispatch()
  harness.release('w', harness.leaseOf('a'))
  harness.dispatch()
  // The first grant may still be on its way to the disk.
  expect(harness.events.filter((event) => event.type === 'leasesGranted').map(({ durable }) => durable)).toEqual([
    true,
    true,
  ])
})

/**
 * A process of so many places. It begins deliveries in their order, one that is to be alone with nothing beside it, and says
 * so: at once where that is announced, else when it comes to it.
 */
class Process {
  readonly #harness: Harness
  readonly #places: number
  readonly #random: () => number
  readonly session: string
  #waiting: Delivery[] = []
  #running: Delivery[] = []
  #unsaid = 0

  constructor(harness: Harness, session: string, places: number, random: () => number) {
    this.#harness = harness
    this.#places = places
    this.#random = random
    this.session = session
    harness.teller(session, places * 2)
  }

  /** Whether it survives. */
  step(killers: ReadonlySet<string>): boolean {
    const told = this.#harness.told.filter((one) => one.type === 'deliver' && one.session === this.session)
    this.#waiting.push(...(told as Delivery[]))
    this.#harness.told = this.#harness.told.filter((one) => !told.includes(one))
    this.#begin()
    const running = this.#running
    for (const delivery of running) {
      if (this.#random() < 0.5) continue
      if (killers.has(delivery.id)) return false
      this.#harness.complete(this.session, delivery.lease)
      this.#running = this.#running.filter((one) => one !== delivery)
    }
    if (this.#random() < 0.3) this.#say()
    return true
  }

  #begin(): void {
    for (let next = this.#waiting[0]; next; next = this.#waiting[0]) {
      const isAlone = next.start === 'alone' || this.#running.some(({ start }) => start === 'alone')
      if (this.#running.length >= (isAlone ? 1 : this.#places)) return
      this.#waiting.shift()
      this.#running.push(next)
      this.#unsaid = next.lease
      if (next.start) this.#say()
    }
  }

  #say(): void {
    if (this.#unsaid > 0) this.#harness.begin(this.session, this.#unsaid)
    this.#unsaid = 0
  }
}

/** Runs all tasks in processes that a killer takes down each time it runs, and that are started anew. */
function massacre(attemptsMax: number, places: number, processes: number, killers: ReadonlySet<string>, seed: number) {
  const harness = new Harness({ config: { graceMs: 50 }, seed })
  const ids = Array.from({ length: 40 }, (_, i) => `t${i}`)
  harness.submit(ids, { retry: { kind: 'fixed', attemptsMax, delayMs: 0 }, leaseMs: 1_000_000 })
  const random = seededRandom(seed)
  let started = 0
  const start = () => {
    started += 1
    return new Process(harness, `w${started}`, places, random)
  }
  const living = Array.from({ length: processes }, start)
  for (let step = 0; ids.some((id) => !['succeeded', 'dead'].includes(harness.stateOf(id))); step += 1) {
    if (step > 10_000) throw new Error('it does not come to an end')
    harness.dispatch()
    living.forEach((process, i) => {
      if (process.step(killers)) return
      harness.apply({ type: 'disconnectSession', session: process.session })
      living[i] = start()
    })
    harness.advance(10)
  }
  return { dead: ids.filter((id) => harness.stateOf(id) === 'dead'), kills: started - processes, harness }
}

test.each([2, 3, 5])(
  '[LEASE-8] who kills each worker that runs it takes nobody along, with %d attempts',
  (attemptsMax) => {
    for (const places of [1, 2, 8, 40]) {
      for (const processes of [1, 3]) {
        for (const killers of [['t3'], ['t0', 't1', 't20', 't39']]) {
          for (let seed = 1; seed <= 5; seed += 1) {
            const { dead, kills, harness } = massacre(attemptsMax, places, processes, new Set(killers), seed)
            const run = `${places} places, ${processes} processes, killers ${killers}, seed ${seed}`
            expect(dead, run).toEqual(killers)
            expect(
              killers.map((id) => harness.task(id).attempts),
              run,
            ).toEqual(killers.map(() => attemptsMax))
            // Each of them kills once for each attempt, and once more where its worker had not said yet that it begins it.
            expect(kills, run).toBeLessThanOrEqual(killers.length * (attemptsMax + 1))
          }
        }
      }
    }
  },
)
