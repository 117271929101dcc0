import { type Change, defaultScenario, type Scenario } from '@sluice/world'
import { expect, test } from 'vitest'
import { type Plan, Run } from '../../src/engine/run.ts'

const scenario: Scenario = { ...defaultScenario, durationMs: 120_000 }
const plan: Plan = { scenario, seed: 1, changes: [] }

/** The views at these instants, as text. */
function views(run: Run, instants: readonly number[]): string[] {
  return instants.map((atMs) => JSON.stringify(run.show(atMs).stage))
}

const INSTANTS = [100, 1234.5, 5000, 9999, 20_000, 33_333]

test('an instant looks the same whether the run comes to it, returns to it, or begins there', async () => {
  const run = new Run(plan)
  await run.reach(35_000)
  const forwards = views(run, INSTANTS)
  expect(views(run, INSTANTS.toReversed()).toReversed()).toEqual(forwards)
  const other = new Run(plan)
  await other.reach(35_000)
  expect(views(other, [INSTANTS[3] as number])).toEqual([forwards[3]])
  expect(new Set(forwards).size).toBe(INSTANTS.length)
})

const CHANGES: readonly Change[] = [
  { type: 'workers', group: 0, count: 1 },
  { type: 'fault', fault: { type: 'crash', node: 'broker', restartAfterMs: 3000 } },
  { type: 'delay', delayMs: { kind: 'constant', value: 400 } },
]

test.each(CHANGES)('a run that goes on with the change %o is the run in which it was planned', async (change) => {
  const atMs = 10_000
  const run = new Run(plan)
  await run.reach(30_000)
  const before = views(run, [5000, 9999])
  run.change(atMs, change)
  // What was before the change is there at once.
  expect(run.headMs).toBe(atMs)
  expect(views(run, [5000, 9999])).toEqual(before)
  await run.reach(40_000)
  const planned = new Run({ ...plan, changes: [{ atMs, change }] })
  await planned.reach(40_000)
  expect(views(run, INSTANTS)).toEqual(views(planned, INSTANTS))
  const unchanged = new Run(plan)
  await unchanged.reach(40_000)
  expect(views(run, [33_333])).not.toEqual(views(unchanged, [33_333]))
})

test('a change replaces the changes after it, and is refused where it cannot be made', async () => {
  const run = new Run({ ...plan, changes: [{ atMs: 20_000, change: { type: 'endFaults' } }] })
  await run.reach(25_000)
  expect(() => run.change(5000, { type: 'workers', group: 9, count: 1 })).toThrow('group: 9')
  expect(run.plan.changes).toHaveLength(1)
  run.change(5000, { type: 'workers', group: 0, count: 2 })
  expect(run.plan.changes.map(({ atMs }) => atMs)).toEqual([5000])
})

test('what is older than the history keeps is not shown any more, and the rest looks as it did', async () => {
  const run = new Run(plan, { keptMax: 2000 })
  await run.reach(60_000)
  const whole = new Run(plan)
  await whole.reach(60_000)
  const { fromMs } = run.show(60_000)
  expect(fromMs).toBeGreaterThan(20_000)
  expect(run.seen.length).toBeLessThanOrEqual(2000)
  expect(run.show(0).atMs).toBe(fromMs)
  expect(views(run, [59_000, 59_999])).toEqual(views(whole, [59_000, 59_999]))
})

test('a step goes to the next instant at which something happens', async () => {
  const run = new Run(plan)
  const first = await run.next(1000, { type: 'message' })
  expect(first).toBeGreaterThan(1000)
  const second = await run.next(first as number, { type: 'message' })
  expect(second).toBeGreaterThan(first as number)
  expect(await run.next(1000, { type: 'taskDied' })).toBeUndefined()
  expect(run.firstOf(1000, 5000, [{ type: 'busy' }, { type: 'message' }])).toEqual({ atMs: first, type: 'message' })
})

test('every token is somewhere, and every task that was accepted is counted once', async () => {
  const run = new Run(plan)
  await run.reach(60_000)
  for (let atMs = 0; atMs < 60_000; atMs += 500) {
    const { stage } = run.show(atMs)
    const { submitted, succeeded, dead, cancelled } = stage.counts
    const open = stage.tasks.filter(({ place }) => place !== 'settled' && place !== 'toProducer' && place !== 'done')
    expect(open.length).toBe(submitted - succeeded - dead - cancelled)
    for (const { delayed, ready, leased } of stage.queues)
      expect(Math.min(delayed, ready, leased)).toBeGreaterThanOrEqual(0)
    const leased = stage.tasks.filter(({ state }) => state === 'leased').length
    expect(stage.queues.reduce((sum, queue) => sum + queue.leased, 0)).toBe(leased)
  }
})

test('what a loss of power undoes is undone on the stage', async () => {
  const troubled: Scenario = {
    ...scenario,
    journal: { ...scenario.journal, appendMs: { kind: 'constant', value: 300 } },
    script: [10_000, 20_000, 30_000].map((atMs) => ({ atMs, fault: { type: 'powerLoss', restartAfterMs: 1500 } })),
  }
  const run = new Run({ ...plan, scenario: troubled })
  await run.reach(50_000)
  for (let atMs = 0; atMs < 50_000; atMs += 250) {
    const { queues } = run.show(atMs).stage
    for (const { delayed, ready, leased } of queues) expect(Math.min(delayed, ready, leased)).toBeGreaterThanOrEqual(0)
    const { now } = run.measures(atMs)
    const sum = (of: 'leased' | 'ready' | 'delayed') => queues.reduce((total, queue) => total + queue[of], 0)
    expect({ waiting: sum('ready') + sum('delayed'), leased: sum('leased') }).toEqual({
      waiting: now.ready + now.delayed,
      leased: now.leased,
    })
  }
})
