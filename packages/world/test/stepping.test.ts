import { expect, test } from 'vitest'
import { checkers } from '../src/checkers/index.ts'
import { swarm } from '../src/fuzz/swarm.ts'
import {
  type Change,
  defaultScenario,
  type Observation,
  openWorld,
  runWorld,
  type Scenario,
  type TimedChange,
} from '../src/index.ts'

const brief: Scenario = { ...defaultScenario, durationMs: 20_000, settleMs: 20_000 }

async function stepped(scenario: Scenario, seed: number, howFar: (at: number) => number): Promise<string> {
  const world = openWorld(scenario, seed)
  for (let at = 0; world.phase !== 'ended'; at += 1) {
    if (at % 3 === 2) await world.step(at % 2 === 0 ? 'event' : 'message')
    else await world.advanceTo(world.nowMs + howFar(at))
  }
  return world.report().hash
}

test.each([1, 7, 700_010])('a stepped run and a whole run of seed %i have one hash', async (seed) => {
  const scenario = seed > 1000 ? swarm(seed) : brief
  const whole = await runWorld(scenario, seed)
  expect(await stepped(scenario, seed, (at) => (at % 7) * 41.5)).toBe(whole.hash)
  expect(await stepped(scenario, seed, () => 5000)).toBe(whole.hash)
})

test('a world goes exactly as far as it is told', async () => {
  const times: number[] = []
  const world = openWorld(brief, 1, { onObservation: ({ atMs }) => times.push(atMs) })
  await world.advanceTo(1234.5)
  expect(world.nowMs).toBe(1234.5)
  expect(world.phase).toBe('running')
  expect(Math.max(...times)).toBeLessThanOrEqual(1234.5)
  await world.advanceTo(1000)
  expect(world.nowMs).toBe(1234.5)
  await world.advanceTo(Number.POSITIVE_INFINITY)
  expect(world.phase).toBe('ended')
  expect(await world.step('event')).toBe(false)
})

test('a step goes on to the next message, or to what is asked for', async () => {
  const seen: Observation[] = []
  const world = openWorld(brief, 1, { onObservation: (observation) => seen.push(observation) })
  expect(await world.step('message')).toBe(true)
  expect(seen.at(-1)?.type).toMatch(/^(sent|heard)/)
  expect(await world.step(({ type }) => type === 'handlerEnded')).toBe(true)
  expect(seen.filter(({ type }) => type === 'handlerEnded')).toHaveLength(1)
})

const CHANGES: readonly [Change, string][] = [
  [{ type: 'fault', fault: { type: 'crash', node: 'worker-1', restartAfterMs: 500 } }, 'a fault'],
  [{ type: 'arrivals', group: 0, arrivals: { kind: 'steady', rate: 9 } }, 'arrivals'],
  [
    {
      type: 'arrivals',
      group: 0,
      arrivals: { kind: 'closedLoop', inFlight: 2, thinkMs: { kind: 'constant', value: 50 } },
    },
    'a closed loop',
  ],
  [{ type: 'producers', group: 0, count: 4 }, 'more producers'],
  [{ type: 'producers', group: 0, count: 0 }, 'no producer'],
  [{ type: 'workers', group: 0, count: 7 }, 'more workers'],
  [{ type: 'workers', group: 0, count: 1 }, 'fewer workers'],
  [{ type: 'concurrency', group: 0, concurrency: 8 }, 'concurrency'],
  [{ type: 'service', group: 0, queue: 'mail', service: { fails: 1 } }, 'service'],
  [{ type: 'delay', delayMs: { kind: 'constant', value: 90 } }, 'the network'],
  [{ type: 'append', appendMs: { kind: 'constant', value: 70 } }, 'the journal'],
  [{ type: 'reseed', seed: 99 }, 'chance'],
]

test.each(CHANGES)('the change %o is the same by hand and by plan, and changes the run', async (change) => {
  const atMs = 4321
  const world = openWorld(brief, 3, { checkers: checkers(brief) })
  await world.advanceTo(1000)
  await world.advanceTo(atMs)
  expect(await world.change(change)).toBe(true)
  await world.advanceTo(9000)
  await world.advanceTo(Number.POSITIVE_INFINITY)
  const byHand = world.report()
  const planned = await runWorld(brief, 3, { changes: [{ atMs, change }] })
  expect(byHand.hash).toBe(planned.hash)
  expect(byHand.hash).not.toBe((await runWorld(brief, 3)).hash)
  // The checkers do not know that a hand removes workers.
  if (change.type !== 'workers') expect(byHand.violations).toEqual([])
})

test('a reseeded world has the same past and another future for each seed', async () => {
  const atMs = 8000
  const run = async (changes: readonly TimedChange[]): Promise<{ past: string; future: string }> => {
    const seen: Observation[] = []
    await runWorld(brief, 3, { changes, onObservation: (observation) => seen.push(observation) })
    const at = seen.findIndex((observation) => observation.atMs > atMs)
    const isOwn = ({ type }: Observation): boolean => type !== 'changed'
    return {
      past: JSON.stringify(seen.slice(0, at).filter(isOwn)),
      future: JSON.stringify(seen.slice(at).filter(isOwn)),
    }
  }
  const seeds = [3, 4, 5].map((seed) => [{ atMs, change: { type: 'reseed', seed } as const }])
  const runs = [await run([])]
  for (const changes of seeds) runs.push(await run(changes))
  expect(new Set(runs.map(({ past }) => past)).size).toBe(1)
  expect(new Set(runs.map(({ future }) => future)).size).toBe(4)
})

test('faults end when a hand ends them', async () => {
  const world = openWorld({ ...brief, script: [{ atMs: 15_000, fault: { type: 'fullDisk', forMs: 1000 } }] }, 3)
  await world.advanceTo(2000)
  await world.change({ type: 'fault', fault: { type: 'partition', node: 'worker-1', forMs: 60_000 } })
  await world.change({ type: 'endFaults' })
  expect(world.report().counts.faultEnded).toBe(1)
  await world.change({ type: 'fault', fault: { type: 'reset', node: 'worker-1' } })
  await world.advanceTo(Number.POSITIVE_INFINITY)
  expect(world.report().faults.map(({ fault }) => fault.type)).toEqual(['partition', 'reset'])
})

test('a change names the field that is out of bounds', async () => {
  const world = openWorld(brief, 1)
  await expect(world.change({ type: 'workers', group: 3, count: 1 })).rejects.toThrow('group: 3')
  await expect(world.change({ type: 'workers', group: 0, count: 1001 })).rejects.toThrow('count: 1001')
  await expect(world.change({ type: 'concurrency', group: 0, concurrency: 0 })).rejects.toThrow('concurrency: 0')
  await expect(world.change({ type: 'reseed', seed: -1 })).rejects.toThrow('seed: -1')
  expect(await world.change({ type: 'fault', fault: { type: 'reset', node: 'nobody' } })).toBe(false)
  const changes = [{ atMs: 50_000, change: { type: 'endFaults' } as const }]
  expect(() => openWorld(brief, 1, { changes })).toThrow('changes[0].atMs: 50000')
  await world.advanceTo(Number.POSITIVE_INFINITY)
  await expect(world.change({ type: 'endFaults' })).rejects.toThrow('ended')
})
