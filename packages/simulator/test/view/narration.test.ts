import { expect, test } from 'vitest'
import { Run } from '../../src/engine/run.ts'
import type { Seen } from '../../src/view/fold.ts'
import { narrationOf } from '../../src/view/narration.ts'
import { troubledScenario } from './troubled-scenario.ts'

const run = new Run({ scenario: troubledScenario, seed: 1, changes: [] })
await run.reach(60_000)
const all = run.narration(60_000, 10_000)
const textsOf = (fromMs: number, untilMs: number): string[] =>
  all.filter((one) => one.fromMs >= fromMs && one.fromMs <= untilMs).map(({ text }) => text)

test('the last happenings are told, the newest last', () => {
  const last = run.narration(60_000, 12)
  expect(last).toEqual(all.slice(-12))
  expect(last.map(({ fromMs }) => fromMs)).toEqual(last.map(({ fromMs }) => fromMs).sort((a, b) => a - b))
  expect(run.narration(30_000, 5).every(({ untilMs }) => untilMs <= 30_000)).toBe(true)
})

test('what a fault does is told in words, once', () => {
  expect(textsOf(25_000, 25_000)).toContain('worker-1 crashes')
  expect(textsOf(25_000, 26_000).filter((text) => text.includes('worker-1 crashes'))).toHaveLength(1)
  expect(textsOf(25_000, 25_999).some((text) => text.includes('loses its connection'))).toBe(false)
  expect(textsOf(26_000, 26_000)).toContain('worker-1 starts again')
  expect(textsOf(34_000, 34_000)).toContain('worker-2 pauses for 8.0 s')
  expect(textsOf(42_000, 42_000)).toContain('It is over that worker-2 pauses for 8.0 s')
  expect(textsOf(13_000, 13_000).some((text) => /^The broker has read its journal up to batch \d+$/.test(text))).toBe(
    true,
  )
  expect(
    textsOf(26_000, 30_000).some((text) =>
      /^The lease of #\d+.* expires; (it is|they are) delivered again$/.test(text),
    ),
  ).toBe(true)
})

test('what happens often is told once, with how often and in which time', () => {
  const busy = all.filter(({ text }) => text.includes('is told busy'))
  expect(busy.some(({ text, times }) => times > 3 && text.includes(`is told busy ${times} times in `))).toBe(true)
  expect(busy.every(({ fromMs, untilMs, weight }) => untilMs - fromMs <= 2000 && weight === 'trouble')).toBe(true)
  const told = busy.reduce((sum, { times }) => sum + times, 0)
  expect(told).toBe(run.measures(60_000).now.totals.busy)
  const submitted = all.filter(({ text }) => / submits /.test(text))
  expect(new Set(submitted.map(({ weight }) => weight))).toEqual(new Set(['routine']))
  expect(submitted.reduce((sum, { times }) => sum + times, 0)).toBe(run.measures(60_000).now.totals.submitted)
})

test('tasks have their short numbers, and many are told by the first and the last', () => {
  const submit = (id: string, atMs: number): Seen => ({
    type: 'submitting',
    node: 'producer-1',
    id,
    queue: 'mail',
    body: '',
    attempt: 1,
    atMs,
  })
  const three = ['a', 'b', 'c'].map((id, at) => submit(id, at * 10))
  expect(narrationOf(three, 100, 9).map(({ text }) => text)).toEqual(['producer-1 submits #1, #2 and #3'])
  const many = Array.from({ length: 50 }, (_, at) => submit(`task ${at}`, at * 30))
  expect(narrationOf(many, 10_000, 9, 100).map(({ text }) => text)).toEqual([
    'producer-1 submits 50 tasks, from #101 to #150 in 1.5 s',
  ])
  // In the next two seconds it is told anew.
  expect(narrationOf([submit('a', 0), submit('b', 2001)], 10_000, 9)).toHaveLength(2)
})

test('a happening keeps its key while more is added to it', () => {
  const at = 53_000
  const before = run.narration(at, 50)
  const after = run.narration(at + 400, 50)
  const keys = new Map(after.map((one) => [one.key, one]))
  const kept = before.slice(10).map((one) => ({ one, later: keys.get(one.key) }))
  expect(kept.every(({ later }) => later !== undefined)).toBe(true)
  expect(kept.some(({ one, later }) => (later?.times ?? 0) > one.times)).toBe(true)
})
