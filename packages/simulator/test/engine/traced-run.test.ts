import { expect, test } from 'vitest'
import { Run } from '../../src/engine/run.ts'
import { TracedRun } from '../../src/engine/traced-run.ts'
import { troubledScenario } from '../view/troubled-scenario.ts'

const run = new Run({ scenario: troubledScenario, seed: 1, changes: [] })
await run.reach(45_000)
const text = await run.trace(45_000, 'sluice').text()

const INSTANTS = [500, 9999, 12_500, 25_001, 36_000, 43_000, 44_000]

test('a trace that was written and read shows what the run showed', async () => {
  const traced = new TracedRun(text)
  expect(traced.plan).toEqual(run.plan)
  const [id = ''] = run.seen.flatMap((seen) => (seen.type === 'submitting' && seen.atMs > 20_000 ? [seen.id] : []))
  for (const atMs of INSTANTS) {
    expect(traced.show(atMs).stage).toEqual(run.show(atMs).stage)
    expect(traced.measures(atMs)).toEqual(run.measures(atMs))
    expect(traced.narration(atMs, 20)).toEqual(run.narration(atMs, 20))
    expect(traced.gantt(atMs - 2000, atMs)).toEqual(run.gantt(atMs - 2000, atMs))
    expect(traced.story(id, atMs)).toEqual(run.story(id, atMs))
  }
  expect(await traced.next(20_000, { type: 'nodeStopped' })).toBe(25_000)
  expect(await traced.next(26_000, { type: 'nodeStopped' })).toBeUndefined()
  expect(traced.show(60_000)).toMatchObject({ hasEnded: true, atMs: traced.headMs })
})

test('a trace without the arrivals of its messages finds them, although bodies and identities are gone', async () => {
  const plain = text
    .split('\n')
    .map((line) => line.replace(/,"arrivesAtMs":[\d.]+/, ''))
    .join('\n')
  expect(plain.length).toBeLessThan(text.length)
  const traced = new TracedRun(plain)
  // Messages on their way at the end of the trace have no arrival in it.
  for (const atMs of INSTANTS.slice(0, -1)) expect(traced.show(atMs).stage).toEqual(run.show(atMs).stage)
})

test('a trace cannot be changed, and one that cannot be shown says why', () => {
  const traced = new TracedRun(text)
  expect(() => traced.change(1000, { type: 'endFaults' })).toThrow('cannot be changed')
  const [header = '', first = '', ...rest] = text.split('\n')
  expect(() => new TracedRun([header, ...rest].join('\n'))).toThrow('does not begin with the start of its world')
  expect(() => new TracedRun([header, first, ''].join('\n'))).toThrow('pnpm fuzz --seed 1 --trace')
  expect(() => new TracedRun([header, first, '{', ''].join('\n'))).toThrow('line 3')
  expect(() => new TracedRun('hello')).toThrow('line 1')
})

test('a run that has forgotten its beginning says so instead of a trace that cannot be opened', async () => {
  const short = new Run({ scenario: troubledScenario, seed: 1, changes: [] }, { keptMax: 3000 })
  await short.reach(40_000)
  expect(() => short.trace(40_000, 'sluice')).toThrow('is not kept any more')
  expect(short.trace(40_000, 'chrome').size).toBeGreaterThan(1000)
})

test('for Perfetto an attempt is a span on the row of its slot, and what else happens is an instant', async () => {
  const { traceEvents } = JSON.parse(await run.trace(45_000, 'chrome').text()) as {
    traceEvents: {
      name: string
      ph: string
      pid: number
      tid: number
      ts: number
      dur?: number
      args?: { name: string }
    }[]
  }
  const { spans } = run.gantt(0, 45_000)
  const attempts = traceEvents.filter(({ ph }) => ph === 'X')
  expect(attempts.map(({ ts, dur = 0 }) => [ts, ts + dur])).toEqual(
    spans.map(({ fromMs, untilMs = 45_000 }) => [fromMs * 1000, untilMs * 1000]),
  )
  const machines = new Map(
    traceEvents.filter(({ name }) => name === 'process_name').map(({ pid, args }) => [pid, args?.name]),
  )
  expect(attempts.map(({ pid }) => machines.get(pid))).toEqual(spans.map(({ worker }) => worker))
  const instants = traceEvents.filter(({ ph }) => ph === 'i')
  const count = (type: string): number => run.seen.filter((one) => one.type === type && one.atMs <= 45_000).length
  expect(instants.filter(({ name }) => /^sends /.test(name)).length).toBe(count('sentToBroker') + count('sentByBroker'))
  expect(instants.filter(({ name }) => name.includes('pauses for')).length).toBe(1)
  expect(traceEvents.every(({ pid }) => machines.has(pid))).toBe(true)
})
