import { expect, test } from 'vitest'
import type { TimedFault } from '../src/fault.ts'
import { shrink } from '../src/fuzz/shrink.ts'
import { simplifications } from '../src/fuzz/simplification.ts'
import { swarm } from '../src/fuzz/swarm.ts'

const faults: TimedFault[] = Array.from({ length: 17 }, (_, at) => ({
  atMs: at * 100,
  fault: { type: 'crash', node: `worker-${at}`, restartAfterMs: 10 },
}))
const crashes = (script: readonly TimedFault[] | undefined, node: string) =>
  (script ?? []).some(({ fault }) => 'node' in fault && fault.node === node)

test('what is left is the faults that matter and one of everything else', async () => {
  const { seed, scenario } = await shrink(
    { seed: 5, scenario: swarm(5) },
    faults,
    async ({ scenario: { script } }) => crashes(script, 'worker-3') && crashes(script, 'worker-11'),
    () => false,
  )
  expect(seed).toBe(5)
  expect(scenario.faultRates).toBeUndefined()
  expect(scenario.script).toEqual([faults[3], faults[11]])
  expect(scenario.producers).toHaveLength(1)
  expect(scenario.producers[0]).toMatchObject({ count: 1, tasksMax: 1 })
  expect(scenario.workers).toHaveLength(1)
  expect(simplifications(scenario)).toEqual([])
})

test('what the violation needs stays', async () => {
  const first = swarm(5)
  const { scenario } = await shrink(
    { seed: 5, scenario: first },
    [],
    async ({ scenario: { durationMs, producers } }) =>
      durationMs >= 1000 && producers.some(({ tasksMax = 0 }) => tasksMax >= 4),
    () => false,
  )
  expect(scenario.durationMs).toBeLessThan(2000)
  expect(scenario.producers.map(({ tasksMax }) => tasksMax)).toEqual([4])
})

test('without a run left the experiment stays as it was', async () => {
  const scenario = swarm(9)
  const minimised = await shrink(
    { seed: 9, scenario },
    faults,
    async () => true,
    () => true,
  )
  expect(minimised).toEqual({ seed: 9, scenario })
})

test('a violation that needs the chance of its faults keeps it', async () => {
  const scenario = { ...swarm(9), faultRates: { crash: 100 } }
  const minimised = await shrink(
    { seed: 9, scenario },
    faults,
    async (experiment) => experiment.scenario.faultRates !== undefined,
    () => false,
  )
  expect(minimised.scenario.faultRates).toEqual({ crash: 100 })
})

test('each step makes a scenario simpler, so that there is an end', () => {
  for (let seed = 0; seed < 20; seed += 1) {
    let scenario = swarm(seed)
    let steps = 0
    for (let next = simplifications(scenario)[0]; next !== undefined; next = simplifications(scenario)[0]) {
      scenario = next
      steps += 1
      expect(steps).toBeLessThan(500)
    }
  }
})
