import { expect, test } from 'vitest'
import { calm } from '../../src/phenomena/calm.ts'
import type { Phenomenon } from '../../src/phenomena/phenomenon.ts'
import { sectionOf } from '../../src/phenomena/table.ts'
import { judge, tryOut } from '../../src/phenomena/trial.ts'
import type { Scenario } from '../../src/scenario.ts'

function scenario(rate: number): Scenario {
  return {
    ...calm,
    name: `rate ${rate}`,
    durationMs: 10_000,
    producers: [
      {
        count: 1,
        arrivals: { kind: 'steady', rate },
        tasks: [{ queue: 'orders', weight: 1, bodyBytes: { kind: 'constant', value: 20 } }],
      },
    ],
    workers: [
      { count: 1, queues: ['orders'], concurrency: 1, service: { '*': { ms: { kind: 'constant', value: 1 } } } },
    ],
  }
}

const more: Phenomenon<'few' | 'many', 'tasks'> = {
  name: 'more',
  lesson: 'More is more.',
  setting: 'Some tasks.',
  scenarios: { few: scenario(1), many: scenario(3) },
  figures: { tasks: 'tasks done' },
  looksAt: ['handlerEnded'],
  measure: (seen) => ({ tasks: seen.length }),
  expectations: [
    { what: 'tasks of many', over: 'eachSeed', figure: (runs) => runs.many.tasks, bound: { atLeast: 30, atMost: 30 } },
    { what: 'ratio', over: 'mean', figure: (runs) => runs.many.tasks / runs.few.tasks, bound: { atMost: 2 } },
  ],
}

test('a trial runs each variant with each seed and says which expectations hold', async () => {
  const trial = await tryOut(more, [4, 5, 6])
  const run = { few: { tasks: 10 }, many: { tasks: 30 } }
  expect(trial.runs).toEqual([run, run, run])
  expect(judge(trial).map(({ holds, figures }) => [holds, figures])).toEqual([
    [true, [30, 30, 30]],
    [false, [3]],
  ])
  expect(sectionOf(trial)).toBe(`## more

More is more.

Some tasks.

| mean over 3 seeds | tasks done |
| --- | --- |
| few | 10 |
| many | 30 |

| expected | bound | holds for | measured | holds |
| --- | --- | --- | --- | --- |
| tasks of many | ≥ 30, ≤ 30 | each seed | 30 | yes |
| ratio | ≤ 2 | means | 3 | NO |
`)
})
