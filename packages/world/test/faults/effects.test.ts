import { describe, expect, test } from 'vitest'
import { WORLD_EPOCH_MS } from '../../src/context.ts'
import { type Fault, type Observation, runWorld, type Scenario } from '../../src/index.ts'
import { calm } from '../../src/phenomena/calm.ts'

const FROM_MS = 5000
const FOR_MS = 3000
const TO_MS = FROM_MS + FOR_MS

/** Ten short tasks a second, on lines and a disk that take a millisecond. */
const scenario: Scenario = {
  ...calm,
  name: 'one fault',
  durationMs: 15_000,
  settleMs: 60_000,
  journal: { appendMs: { kind: 'constant', value: 1 }, readMs: { kind: 'constant', value: 1 } },
  network: { delayMs: { kind: 'constant', value: 1 } },
  producers: [
    {
      count: 1,
      arrivals: { kind: 'steady', rate: 10 },
      tasks: [{ queue: 'q', weight: 1, bodyBytes: { kind: 'constant', value: 20 } }],
    },
  ],
  workers: [{ count: 2, queues: ['q'], concurrency: 2, service: { q: { ms: { kind: 'constant', value: 10 } } } }],
}

/** What was seen while it lasted and afterwards, but for what had been on its way when it began. */
async function seenWith(fault: Fault): Promise<{ meanwhile: Observation[]; afterwards: Observation[] }> {
  const seen: Observation[] = []
  const script = [{ atMs: FROM_MS, fault }]
  const { tasks } = await runWorld({ ...scenario, script }, 1, { onObservation: (one) => seen.push(one) })
  expect(tasks.submitted).toBeGreaterThan(100)
  expect(tasks.succeeded).toBe(tasks.submitted)
  return {
    meanwhile: seen.filter(({ atMs }) => atMs >= FROM_MS && atMs < TO_MS),
    afterwards: seen.filter(({ atMs }) => atMs >= TO_MS && atMs < 15_000),
  }
}

function of<T extends Observation['type']>(seen: readonly Observation[], type: T): Extract<Observation, { type: T }>[] {
  return seen.filter((one): one is Extract<Observation, { type: T }> => one.type === type)
}

/** From the sending of each message to its arrival, in ms. */
function travelTimes(seen: readonly Observation[], to: 'Broker' | 'Node', node: string): number[] {
  const sentAtMs = new Map<object, number>()
  const times: number[] = []
  for (const one of seen) {
    if (!('message' in one) || one.node !== node) continue
    if (one.type === (to === 'Broker' ? 'sentToBroker' : 'sentByBroker')) sentAtMs.set(one.message, one.atMs)
    const since = one.type === `heardBy${to}` ? sentAtMs.get(one.message) : undefined
    if (since !== undefined) times.push(one.atMs - since)
  }
  expect(times.length).toBeGreaterThan(2)
  return times
}

function appendTimes(seen: readonly Observation[]): number[] {
  const since = new Map(of(seen, 'appending').map(({ batch, atMs }) => [batch, atMs]))
  const ends = of(seen, 'appended').filter(({ batch }) => since.has(batch))
  expect(ends.length).toBeGreaterThan(2)
  return ends.map(({ batch, atMs }) => atMs - (since.get(batch) as number))
}

/** Of the wall clock that an id was made by, against the world's time. */
function clockErrors(seen: readonly Observation[]): number[] {
  const submitted = of(seen, 'submitting')
  expect(submitted.length).toBeGreaterThan(10)
  return submitted.map(({ id, atMs }) => {
    const epochMs = Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)
    return Math.round((epochMs - WORLD_EPOCH_MS - atMs) / 1000)
  })
}

describe('what a fault does, while it lasts and no longer', () => {
  test('reset: both ends of the connections of a node hear that they are lost', async () => {
    const { meanwhile } = await seenWith({ type: 'reset', node: 'worker-1' })
    const lost = of(meanwhile, 'disconnected').filter(({ atMs }) => atMs === FROM_MS)
    expect(lost.map(({ node, side }) => `${node} ${side}`)).toEqual(['worker-1 node', 'worker-1 broker'])
  })

  test('halfOpen: the node alone hears of it', async () => {
    const { meanwhile } = await seenWith({ type: 'halfOpen', node: 'worker-1' })
    const [first, second] = of(meanwhile, 'disconnected')
    expect(first).toMatchObject({ node: 'worker-1', side: 'node', atMs: FROM_MS })
    // That the broker drops the old connection is the doing of the new one.
    expect(second?.atMs).not.toBe(FROM_MS)
    expect(of(meanwhile, 'connected').map(({ node }) => node)).toEqual(['worker-1'])
  })

  test('slowReader: the node reads nothing, and says what it has to say', async () => {
    const { meanwhile, afterwards } = await seenWith({ type: 'slowReader', node: 'producer-1', forMs: FOR_MS })
    expect(of(meanwhile, 'heardByNode').filter(({ node }) => node === 'producer-1')).toEqual([])
    expect(of(meanwhile, 'heardByBroker').filter(({ node }) => node === 'producer-1').length).toBeGreaterThan(10)
    expect(of(afterwards, 'heardByNode').filter(({ node }) => node === 'producer-1').length).toBeGreaterThan(10)
  })

  test('slowReader: the node reads a piece now and then, and not more', async () => {
    const fault = { type: 'slowReader', node: 'producer-1', forMs: FOR_MS, everyMs: 500 } as const
    const { meanwhile } = await seenWith(fault)
    const heard = of(meanwhile, 'heardByNode').filter(({ node }) => node === 'producer-1')
    const instants = [...new Set(heard.map(({ atMs }) => atMs - FROM_MS))]
    expect(instants).toEqual([500, 1000, 1500, 2000, 2500])
  })

  test('delay: messages to and from the node take longer, and only those', async () => {
    const { meanwhile, afterwards } = await seenWith({ type: 'delay', node: 'worker-1', byMs: 70, forMs: FOR_MS })
    for (const to of ['Broker', 'Node'] as const) {
      expect(Math.min(...travelTimes(meanwhile, to, 'worker-1'))).toBe(71)
      expect(travelTimes(afterwards, to, 'worker-1').at(-1)).toBe(1)
      expect(Math.max(...travelTimes(meanwhile, to, 'producer-1'))).toBe(1)
    }
  })

  test('slow: what comes to the node is late, and its timers are', async () => {
    const { meanwhile, afterwards } = await seenWith({ type: 'slow', node: 'worker-1', byMs: 70, forMs: FOR_MS })
    expect(Math.min(...travelTimes(meanwhile, 'Node', 'worker-1'))).toBe(71)
    expect(travelTimes(afterwards, 'Node', 'worker-1').at(-1)).toBe(1)
    const runs = new Map(of(meanwhile, 'handlerStarted').map(({ run, atMs }) => [run, atMs]))
    const ends = of(meanwhile, 'handlerEnded').filter(({ node, run }) => node === 'worker-1' && runs.has(run))
    expect(ends.length).toBeGreaterThan(2)
    for (const { run, atMs } of ends) expect(atMs - (runs.get(run) as number)).toBe(80)
  })

  test('clockJump: the wall clock of the node is another one from then on', async () => {
    const { meanwhile, afterwards } = await seenWith({ type: 'clockJump', node: 'producer-1', byMs: 3_600_000 })
    expect(new Set([...clockErrors(meanwhile), ...clockErrors(afterwards)])).toEqual(new Set([3600]))
  })

  test('clockJump: a broker that is started afterwards begins with the new time', async () => {
    const script = [
      { atMs: 5000, fault: { type: 'clockJump', node: 'broker', byMs: 3_600_000 } },
      { atMs: 8000, fault: { type: 'crash', node: 'broker', restartAfterMs: 1000 } },
    ] as const
    const atMs: { world: number; broker: number }[] = []
    await runWorld({ ...scenario, script }, 1, {
      onObservation: (one) => {
        if (one.type !== 'appending') return
        for (const event of one.events)
          if ('atMs' in event) atMs.push({ world: one.atMs, broker: event.atMs - WORLD_EPOCH_MS - one.atMs })
      },
    })
    const errors = (fromMs: number, toMs: number) =>
      new Set(
        atMs.filter(({ world }) => world >= fromMs && world < toMs).map(({ broker }) => Math.round(broker / 1000)),
      )
    expect(errors(0, 8000)).toEqual(new Set([0]))
    expect(errors(8000, 15_000)).toEqual(new Set([3600]))
  })

  test('slowDisk: every append takes longer', async () => {
    const { meanwhile, afterwards } = await seenWith({ type: 'slowDisk', byMs: 70, forMs: FOR_MS })
    expect(Math.min(...appendTimes(meanwhile))).toBeGreaterThanOrEqual(71)
    expect(Math.max(...appendTimes(afterwards).slice(-10))).toBeLessThan(10)
  })

  test('failingDisk: the broker stops at its next append, and the one that is started in its place can write', async () => {
    const { meanwhile } = await seenWith({ type: 'failingDisk' })
    const [stopped] = of(meanwhile, 'nodeStopped')
    expect(stopped).toMatchObject({ node: 'broker', how: 'failed' })
    expect(of(meanwhile, 'nodeStopped')).toHaveLength(1)
    const between = of(meanwhile, 'appended').filter(({ atMs }) => atMs < (stopped?.atMs ?? 0) + 1000)
    expect(between).toEqual([])
    expect(of(meanwhile, 'appended').length).toBeGreaterThan(10)
  })

  test('failingDisk: one that nobody wrote to is mended when the time of faults is over', async () => {
    const stopped: Observation[] = []
    const producers = scenario.producers.map((group) => ({ ...group, tasksMax: 1 }))
    const script = [{ atMs: 14_000, fault: { type: 'failingDisk' } }] as const
    const { faults } = await runWorld({ ...scenario, producers, script }, 1, {
      onObservation: (one) => one.type === 'nodeStopped' && one.how === 'failed' && stopped.push(one),
    })
    expect(faults).toHaveLength(1)
    expect(stopped).toEqual([])
  })

  test('fullDisk: two of them at a time leave no room until both are over', async () => {
    const script = [
      { atMs: FROM_MS, fault: { type: 'fullDisk', forMs: FOR_MS } },
      { atMs: FROM_MS + 500, fault: { type: 'fullDisk', forMs: 500 } },
    ] as const
    const appendedAtMs: number[] = []
    await runWorld({ ...scenario, script }, 1, {
      onObservation: (one) => one.type === 'appended' && appendedAtMs.push(one.atMs),
    })
    expect(appendedAtMs.filter((atMs) => atMs >= FROM_MS && atMs < TO_MS)).toEqual([])
  })

  test('powerLoss: what was not synced is gone, and the machine answers nobody until it is back', async () => {
    const relaxed: Scenario = { ...scenario, journal: { ...scenario.journal, durability: 'relaxed' } }
    const script = [
      { atMs: FROM_MS, fault: { type: 'powerLoss', restartAfterMs: FOR_MS } },
      { atMs: FROM_MS + 500, fault: { type: 'crash', node: 'worker-1', restartAfterMs: 500 } },
    ] as const
    let losses = 0
    for (let seed = 1; seed <= 8; seed += 1) {
      const seen: Observation[] = []
      await runWorld({ ...relaxed, script }, seed, { onObservation: (one) => seen.push(one) })
      losses += of(seen, 'lost').length
      const meanwhile = seen.filter(({ atMs }) => atMs > FROM_MS && atMs < TO_MS)
      // It is not refused: then it would try again.
      expect(of(meanwhile, 'connecting').map(({ node }) => node)).toEqual(['worker-1'])
      expect(meanwhile.filter(({ type }) => type === 'connected' || type === 'heardByNode')).toEqual([])
    }
    expect(losses).toBeGreaterThan(2)
  })

  test('fullDisk: nothing is written, however often the broker is started, until there is room', async () => {
    const { meanwhile, afterwards } = await seenWith({ type: 'fullDisk', forMs: FOR_MS })
    expect(of(meanwhile, 'nodeStopped').filter(({ how }) => how === 'failed').length).toBeGreaterThan(1)
    expect(of(meanwhile, 'appended')).toEqual([])
    expect(of(afterwards, 'appended').length).toBeGreaterThan(10)
  })
})
