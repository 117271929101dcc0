import { expect, test } from 'vitest'
import { speedOf } from '../src/fuzz/speed.ts'
import type { Checker, Fault, FaultType, Observation, Report, Scenario, TimedFault } from '../src/index.ts'
import { defaultScenario, runWorld } from '../src/index.ts'

const short: Scenario = { ...defaultScenario, name: 'short', durationMs: 20_000 }

const allRates: { readonly [Type in FaultType]: number } = {
  crash: 10_000,
  restart: 10_000,
  pause: 10_000,
  slow: 10_000,
  clockJump: 10_000,
  reset: 10_000,
  halfOpen: 10_000,
  partition: 10_000,
  slowReader: 10_000,
  delay: 10_000,
  slowDisk: 10_000,
  failingDisk: 20_000,
  fullDisk: 20_000,
  powerLoss: 20_000,
  hide: 10_000,
  deviceCrash: 20_000,
  storeFailure: 20_000,
}

const rough: Scenario = {
  ...short,
  name: 'rough',
  faultRates: allRates,
  operator: { redriveEveryMs: 2000, submitEveryMs: 2000, askEveryMs: 1000 },
  producers: short.producers.flatMap((group) => [
    { ...group, resubmits: 0.1, cancels: 0.1, asksLater: 0.1 },
    { ...group, count: 1, resubmits: 0.1, speaksText: true },
  ]),
  workers: [
    ...short.workers,
    {
      count: 1,
      queues: ['mail'],
      concurrency: 2,
      service: { mail: { ms: { kind: 'constant', value: 500 }, crashes: 0.05, progressEveryMs: 200 } },
      falsehoods: ['inventsLeases', 'repeats', 'neverBeats', 'settlesLate', 'resumesStrangers', 'babbles'],
    },
  ],
  browsers: short.producers.map(({ arrivals, tasks }) => ({
    count: 1,
    tabs: 2,
    arrivals,
    tasks,
    cancels: 0.1,
    orderingKeys: 0.3,
    intents: 0.2,
    whenUnsaved: 'memory',
    storeMs: { kind: 'exponential', mean: 5 },
  })),
}

async function observe(scenario: Scenario, seed: number): Promise<{ report: Report; seen: Observation[] }> {
  const seen: Observation[] = []
  return { report: await runWorld(scenario, seed, { onObservation: (observation) => seen.push(observation) }), seen }
}

function ended(seen: readonly Observation[]) {
  const last = seen.at(-1)
  if (last?.type !== 'worldEnded') throw new Error('the world has not ended')
  const calm = seen.findLast((observation) => observation.type === 'calmEnded')
  const { timers, connections } = last
  return { timers, connections, unfinished: calm?.unfinished, waiting: calm?.waiting }
}

test('an ordinary day: every task is done, and nothing is left behind', async () => {
  const { report, seen } = await observe(short, 1)
  expect(report.violations).toEqual([])
  expect(report.tasks.succeeded).toBeGreaterThan(20)
  expect(report.tasks.succeeded).toBe(report.tasks.submitted)
  expect(ended(seen)).toEqual({ timers: 0, connections: 0, unfinished: [], waiting: [] })
})

test('the same seed has the same hash, another seed another', async () => {
  const hashes = new Set<string>()
  for (const seed of [1, 2, 3]) {
    const { hash } = await runWorld(rough, seed)
    expect((await runWorld(rough, seed)).hash).toBe(hash)
    hashes.add(hash)
  }
  expect(hashes.size).toBe(3)
})

test('two worlds at a time do not disturb each other', async () => {
  const alone = await runWorld(rough, 4)
  const [first, second] = await Promise.all([runWorld(rough, 4), runWorld(rough, 5)])
  expect(first.hash).toBe(alone.hash)
  expect(second.hash).not.toBe(alone.hash)
})

test('whether anybody looks on changes nothing', async () => {
  const { hash } = await runWorld(rough, 6)
  expect((await observe(rough, 6)).report.hash).toBe(hash)
})

test('the faults that chance made, given as a script, make the same run', async () => {
  const chance = await runWorld(rough, 7)
  const { faultRates: _, ...calm } = rough
  const script = await runWorld({ ...calm, script: JSON.parse(JSON.stringify(chance.faults)) }, 7)
  expect(chance.faults.length).toBeGreaterThan(5)
  expect(script.hash).toBe(chance.hash)
  expect(script.faults).toEqual(chance.faults)
})

test('every kind of fault happens and ends, and afterwards everything is done', async () => {
  const kinds = new Set<string>()
  for (let seed = 1; seed <= 12; seed += 1) {
    const { report, seen } = await observe(rough, seed)
    expect(report.violations).toEqual([])
    expect(ended(seen)).toEqual({ timers: 0, connections: 0, unfinished: [], waiting: [] })
    const open = new Set<number>()
    for (const observation of seen) {
      if (observation.type === 'faultStarted') {
        kinds.add(observation.fault.type)
        open.add(observation.number)
      } else if (observation.type === 'faultEnded') open.delete(observation.number)
    }
    expect([...open]).toEqual([])
  }
  expect([...kinds].toSorted()).toEqual(Object.keys(allRates).toSorted())
})

test('who speaks text is answered in text, and everything is done as well', async () => {
  const { report, seen } = await observe(
    {
      ...short,
      producers: short.producers.map((group) => ({ ...group, speaksText: true })),
      workers: short.workers.map((group) => ({ ...group, speaksText: true })),
    },
    1,
  )
  expect(report.tasks).toEqual((await runWorld(short, 1)).tasks)
  expect(seen.filter(({ type }) => type === 'unreadable')).toEqual([])
})

test('who sends what is no frame is cut off, and started anew', async () => {
  const { report, seen } = await observe(
    { ...short, workers: short.workers.map((group) => ({ ...group, falsehoods: ['babbles'] })) },
    1,
  )
  expect(seen.some(({ type }) => type === 'unreadable')).toBe(true)
  expect(seen.some((observation) => observation.type === 'nodeStopped' && observation.how === 'failed')).toBe(true)
  expect(report.tasks.succeeded).toBe(report.tasks.submitted)
})

test('a fault that finds nothing to harm does not happen', async () => {
  const crash: Fault = { type: 'crash', node: 'worker-1', restartAfterMs: 5000 }
  const { faults } = await runWorld(
    {
      ...short,
      script: [
        { atMs: 1000, fault: crash },
        { atMs: 2000, fault: crash },
        { atMs: 3000, fault: { type: 'pause', node: 'worker-99', forMs: 10 } },
      ],
    },
    1,
  )
  expect(faults).toEqual([{ atMs: 1000, fault: crash }])
})

test('faults of one kind that overlap last until the last of them is over', async () => {
  const overlapping = async (type: 'partition' | 'pause'): Promise<number[]> => {
    const script: TimedFault[] = [
      { atMs: 5000, fault: { type, node: 'broker', forMs: 4000 } },
      { atMs: 6000, fault: { type, node: 'broker', forMs: 1000 } },
    ]
    const { seen } = await observe({ ...short, script }, 1)
    expect(seen.filter(({ type }) => type === 'faultEnded').map(({ atMs }) => atMs)).toEqual([7000, 9000])
    return seen.filter(({ type, atMs }) => type === 'heardByNode' && atMs > 5500 && atMs < 9000).map(({ atMs }) => atMs)
  }
  expect(await overlapping('partition')).toEqual([])
  expect(await overlapping('pause')).toEqual([])
})

test('connections that are not there cannot be lost', async () => {
  const script: TimedFault[] = [
    { atMs: 5000, fault: { type: 'crash', node: 'worker-1', restartAfterMs: 5000 } },
    { atMs: 6000, fault: { type: 'reset', node: 'worker-1' } },
    { atMs: 7000, fault: { type: 'halfOpen', node: 'worker-1' } },
    { atMs: 15_000, fault: { type: 'reset', node: 'worker-1' } },
  ]
  const { faults } = await runWorld({ ...short, script }, 1)
  expect(faults.map(({ atMs }) => atMs)).toEqual([5000, 15_000])
})

test('when the time of faults is over, a node that is still leaving comes back as soon as it has left', async () => {
  const service = { '*': { ms: { kind: 'constant', value: 3000 } } } as const
  const workers = [{ count: 1, queues: ['mail', 'thumbnails'], concurrency: 1, service }]
  const fault: Fault = { type: 'restart', node: 'worker-1', restartAfterMs: 60_000 }
  const { seen } = await observe({ ...short, workers, script: [{ atMs: 19_999, fault }] }, 1)
  const lives = seen.filter((one) => 'node' in one && one.node === 'worker-1' && one.type.startsWith('nodeSt'))
  const [, left, back] = lives.map(({ type, atMs }) => ({ type, atMs }))
  expect(left).toMatchObject({ type: 'nodeStopped' })
  expect(left?.atMs).toBeGreaterThan(20_000)
  expect(back).toEqual({ type: 'nodeStarted', atMs: left?.atMs })
})

test('after a crash a node hears and says nothing until it is back', async () => {
  const script = [{ atMs: 5000, fault: { type: 'crash', node: 'worker-1', restartAfterMs: 4000 } as const }]
  const { seen } = await observe({ ...short, script }, 1)
  const gone = seen.filter(
    (observation) =>
      observation.atMs > 5000 && observation.atMs < 9000 && 'node' in observation && observation.node === 'worker-1',
  )
  expect(gone.filter(({ type }) => type !== 'disconnected' && type !== 'frame' && type !== 'sentByBroker')).toEqual([])
  expect(seen.some(({ type, atMs }) => type === 'nodeStarted' && atMs === 9000)).toBe(true)
})

test('a producer that crashes asks again for what it had not had an answer to', async () => {
  const script = [{ atMs: 10_000, fault: { type: 'crash', node: 'producer-1', restartAfterMs: 1000 } as const }]
  const producers = short.producers.map((group) => ({ ...group, arrivals: { kind: 'steady', rate: 5 } as const }))
  const { report, seen } = await observe({ ...short, producers, script }, 2)
  const again = seen.filter(
    (observation) => observation.type === 'submitting' && observation.atMs === 11_000 && observation.attempt === 1,
  )
  expect(again.length).toBeGreaterThan(0)
  expect(report.tasks.succeeded).toBe(report.tasks.submitted)
})

test('nothing on the wire tells where this machine keeps its files: a run is the same on any', async () => {
  const service = {
    ms: { kind: 'constant', value: 200 },
    resultBytes: { kind: 'bimodal', fast: 20, slow: 2_000_000, share: 0.3 },
    fails: 0.2,
    failsForGood: 0.1,
    hangs: 0.2,
  } as const
  const { seen } = await observe(
    {
      ...short,
      producers: short.producers.map((group) => ({
        ...group,
        cancels: 0.3,
        tasks: group.tasks.map((mix) => ({ ...mix, options: { timeLimitMs: 1000 } })),
      })),
      workers: short.workers.map((group) => ({ ...group, service: { '*': service } })),
      script: [{ atMs: 8000, fault: { type: 'restart', node: 'worker-1', restartAfterMs: 1000 } }],
    },
    1,
  )
  const failures = seen.filter((one) => one.type === 'sentToBroker' && one.message.type === 'fail')
  expect(failures.length).toBeGreaterThan(5)
  const texts = seen.map((one) => JSON.stringify(one))
  expect(texts.filter((text) => /\.ts:\d/.test(text))).toEqual([])
})

test('a closed loop goes on after a crash, however many were given up before it', async () => {
  const scenario: Scenario = {
    ...short,
    producers: short.producers.map((group) => ({
      ...group,
      count: 1,
      arrivals: { kind: 'closedLoop', inFlight: 3, thinkMs: { kind: 'constant', value: 1000 } },
      patienceMs: 1000,
    })),
    workers: short.workers.map((group) => ({ ...group, service: { '*': { ms: { kind: 'constant', value: 5000 } } } })),
    // While they think.
    script: [{ atMs: 8500, fault: { type: 'crash', node: 'producer-1', restartAfterMs: 500 } }],
  }
  const { seen } = await observe(scenario, 1)
  const submitted = new Map<string, number>()
  for (const one of seen) if (one.type === 'submitting' && !submitted.has(one.id)) submitted.set(one.id, one.atMs)
  const wishesIn = (fromMs: number, toMs: number) =>
    [...submitted.values()].filter((atMs) => atMs >= fromMs && atMs < toMs).length
  expect(wishesIn(500, 8500)).toBe(12)
  expect(wishesIn(9500, 17_500)).toBe(12)
})

test('a producer that vanishes leaves without a goodbye and does not come back', async () => {
  const vanishing = (ms: number): Scenario => ({
    ...short,
    producers: short.producers.map((group) => ({ ...group, vanishesAfterMs: { kind: 'constant', value: ms } })),
  })
  const { report, seen } = await observe(vanishing(10_000), 1)
  const gone = seen.filter((observation) => 'node' in observation && observation.node.startsWith('producer-'))
  expect(gone.filter(({ type, atMs }) => type === 'nodeStopped' && atMs === 10_000)).toHaveLength(2)
  expect(gone.some(({ type, atMs }) => type === 'nodeStarted' && atMs > 0)).toBe(false)
  expect(ended(seen)).toEqual({ timers: 0, connections: 0, unfinished: [], waiting: [] })
  expect(report.tasks.submitted).toBeGreaterThan(0)
  // Nor is one brought back by the end of what was wrong with it when it vanished.
  const script = [
    { atMs: 9000, fault: { type: 'crash', node: 'producer-1', restartAfterMs: 60_000 } },
    { atMs: 9999, fault: { type: 'restart', node: 'producer-2', restartAfterMs: 60_000 } },
  ] as const
  const starts = (await observe({ ...vanishing(10_000), script }, 1)).seen.filter(({ type }) => type === 'nodeStarted')
  expect(starts.filter(({ atMs }) => atMs > 0)).toEqual([])
  // Who would vanish after the end does not.
  expect(ended((await observe(vanishing(1e9), 1)).seen)).toEqual({
    timers: 0,
    connections: 0,
    unfinished: [],
    waiting: [],
  })
})

test('a world that does not come to rest is stopped and says so', async () => {
  const { violations } = await runWorld(short, 1, { maxObservations: 100 })
  expect(violations.map(({ rule }) => rule)).toEqual(['HANG'])
})

test('a world that is only to be judged is stopped at its first violation', async () => {
  const picky = (): Checker => ({
    rule: 'MINE-1',
    see(seen, _, violate) {
      if (seen.type === 'accepted') violate('no', {})
    },
  })
  const whole = await runWorld(short, 1, { checkers: [picky()] })
  const stopped = await runWorld(short, 1, { checkers: [picky()], untilViolated: true })
  expect(stopped.violations[0]).toEqual(whole.violations[0])
  expect(stopped.simulatedMs).toBe(stopped.violations[0]?.atMs)
  expect(whole.simulatedMs).toBeGreaterThan(stopped.simulatedMs)
  const sound = await runWorld(short, 1, { untilViolated: true })
  expect(sound.hash).toBe(whole.hash)
})

test('observations that nobody asked for are not made', async () => {
  const seen: Observation[] = []
  const { counts, tasks } = await runWorld(short, 1, {
    only: new Set(['outcome']),
    onObservation: (observation) => seen.push(observation),
  })
  expect(counts).toEqual({ outcome: seen.length })
  expect(tasks.succeeded).toBe(seen.length)
})

test('the speed of the default scenario can be told', async () => {
  const clock = [0, 100_000, 100_000, 300_000]
  const { median, runs } = await speedOf(2, () => clock.shift()!)
  expect(runs).toEqual([6, 3])
  expect(median).toBe(6)
})

test('what a checker throws ends the run with that error', async () => {
  const checker = {
    rule: 'BROKEN',
    see: () => {
      throw new Error('a broken checker')
    },
  }
  await expect(runWorld(short, 1, { checkers: [checker] })).rejects.toThrow('a broken checker')
})
