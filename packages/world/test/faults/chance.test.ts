import { expect, test } from 'vitest'
import { BROWSER_FAULT_TYPES, FAULT_TYPES, type FaultRates } from '../../src/fault.ts'
import { faultsByChance, inOrder, type NodeNames } from '../../src/faults/chance.ts'
import { RandomSource } from '../../src/random.ts'
import { emptyScenario } from '../surroundings.ts'

const names = { producers: ['producer-1', 'producer-2'], workers: ['worker-1'], tabs: [], devices: [] }
const browsers = { ...names, tabs: ['tab-1', 'tab-2'], devices: ['browser-1'] }
const rates: FaultRates = Object.fromEntries(FAULT_TYPES.map((type) => [type, 1000]))

function drawn(faultRates: FaultRates, seed = 1, nodes: NodeNames = browsers) {
  return faultsByChance({ ...emptyScenario, durationMs: 100_000, faultRates }, new RandomSource(seed), nodes)
}

test('faults come in the order of their instants, all within the duration, about as often as the rates say', () => {
  const faults = drawn(rates)
  expect(faults.map(({ atMs }) => atMs)).toEqual(faults.map(({ atMs }) => atMs).toSorted((a, b) => a - b))
  for (const { atMs } of faults) expect(atMs > 0 && atMs < 100_000).toBe(true)
  for (const type of FAULT_TYPES) {
    const times = faults.filter(({ fault }) => fault.type === type).length
    expect(Math.abs(times - 100), type).toBeLessThan(40)
  }
})

test('a kind more or less leaves the others as they were', () => {
  const all = drawn(rates)
  for (const type of FAULT_TYPES) {
    const { [type]: _, ...others } = rates
    expect(drawn(others)).toEqual(all.filter(({ fault }) => fault.type !== type))
  }
})

test('faults are plain data, of whole grains of time, and hit the broker and everyone else', () => {
  const faults = drawn(rates)
  expect(JSON.parse(JSON.stringify(faults))).toEqual(faults)
  const times = faults.flatMap((timed) => [
    timed.atMs,
    ...Object.values(timed.fault).filter((v) => typeof v === 'number'),
  ])
  expect(times.filter((ms) => !Number.isInteger(ms * 8))).toEqual([])
  const nodes = new Set(faults.flatMap(({ fault }) => ('node' in fault ? [fault.node] : [])))
  expect([...nodes].toSorted()).toEqual([
    'broker',
    'browser-1',
    'producer-1',
    'producer-2',
    'tab-1',
    'tab-2',
    'worker-1',
  ])
})

test('with browsers, the same happens to the others, except for what hits a tab instead', () => {
  const without = drawn(rates, 1, names)
  const shared = drawn(rates).filter(({ fault }) => !(BROWSER_FAULT_TYPES as readonly string[]).includes(fault.type))
  expect(shared.length).toBe(without.length)
  for (const [at, { atMs, fault }] of shared.entries()) {
    const { fault: other } = without[at]!
    const isOfTab = 'node' in fault && fault.node.startsWith('tab-')
    expect({ atMs, fault: isOfTab ? { ...fault, node: '' } : fault }).toEqual({
      atMs: without[at]!.atMs,
      fault: isOfTab ? { ...other, node: '' } : other,
    })
  }
  expect(without.some(({ fault }) => (BROWSER_FAULT_TYPES as readonly string[]).includes(fault.type))).toBe(false)
})

test('where there is nobody else the broker is hit, and without rates nobody is', () => {
  const alone = faultsByChance({ ...emptyScenario, durationMs: 100_000, faultRates: rates }, new RandomSource(1), {
    producers: [],
    workers: [],
    tabs: [],
    devices: [],
  })
  expect(new Set(alone.flatMap(({ fault }) => ('node' in fault ? [fault.node] : [])))).toEqual(new Set(['broker']))
  expect(drawn({})).toEqual([])
})

test('a script is put in order, and what happens at one instant keeps the order in which it was written', () => {
  const reset = (node: string) => ({ type: 'reset', node }) as const
  const script = [
    { atMs: 20, fault: reset('a') },
    { atMs: 10, fault: reset('b') },
    { atMs: 10, fault: reset('c') },
  ]
  expect(inOrder(script).map(({ fault }) => fault)).toEqual(['b', 'c', 'a'].map(reset))
  expect(script[0]?.atMs).toBe(20)
})
