import type { Change } from '@sluice/world'
import { expect, test } from 'vitest'
import { pairs } from '../../src/compare/pairs.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { type Plan, Run } from '../../src/engine/run.ts'
import { pairedEngine } from '../../src/player/paired-engine.ts'

/** An engine without a Worker, whose world comes no further than `limitMs`. */
function engineOf(limitMs: () => number): Engine {
  let run: Run | undefined
  const opened = (): Run => run as Run
  return {
    open: async (plan: Plan) => {
      run = new Run(plan)
      await run.reach(Math.min(13_000, plan.scenario.durationMs))
    },
    show: async (atMs: number) => ({ ...opened().show(Math.min(atMs, limitMs())), met: undefined }),
    next: async (afterMs, condition) => opened().next(afterMs, condition),
    change: async (atMs, change) => {
      opened().change(atMs, change)
      return opened().plan
    },
    charts: async (atMs) => opened().charts(atMs),
    measures: async (atMs) => opened().measures(atMs),
    end: () => {},
  } as Engine
}

const [first, second] = (pairs.find(({ name }) => name === 'queue-bound') as (typeof pairs)[number]).runs

test('two worlds are always shown at one instant: the one that is behind is waited for', async () => {
  let limitMs = 1000
  const engine = pairedEngine(
    second.plan,
    engineOf(() => Number.POSITIVE_INFINITY),
    engineOf(() => limitMs),
  )
  await engine.open(first.plan)
  const seen = []
  for (const atMs of [500, 2000, 4000, 3000, 9000]) {
    const shown = await engine.show(atMs)
    expect(engine.beside(shown)?.atMs).toBe(shown.atMs)
    expect(shown.stage.atMs).toBe(shown.atMs)
    expect(engine.beside(shown)?.stage.atMs).toBe(shown.atMs)
    seen.push(shown.atMs)
    limitMs += 1000
  }
  expect(seen).toEqual([500, 2000, 3000, 3000, 5000])
})

test('the same happens in both worlds until their policies differ, and a change is made in both', async () => {
  const engine = pairedEngine(
    second.plan,
    engineOf(() => 1e9),
    engineOf(() => 1e9),
  )
  await engine.open(first.plan)
  const early = await engine.show(400)
  expect(engine.beside(early)?.stage.counts).toEqual(early.stage.counts)
  const late = await engine.show(12_000)
  expect(engine.beside(late)?.stage.counts).not.toEqual(late.stage.counts)
  const change: Change = { type: 'fault', fault: { type: 'crash', node: 'worker-1', restartAfterMs: 1000 } }
  const plan = await engine.change(3000, change)
  expect(plan.changes).toEqual([{ atMs: 3000, change }])
  expect(engine.otherPlan.changes).toEqual(plan.changes)
  expect(engine.otherPlan.scenario).toBe(second.plan.scenario)
})

test('a step goes to the next instant at which it is met in either world', async () => {
  const engine = pairedEngine(
    second.plan,
    engineOf(() => 1e9),
    engineOf(() => 1e9),
  )
  await engine.open(first.plan)
  const one = new Run(first.plan)
  const other = new Run(second.plan)
  const found = await Promise.all([one, other].map((run) => run.next(8000, { type: 'message' })))
  expect(await engine.next(8000, { type: 'message' })).toBe(Math.min(...(found as number[])))
})
