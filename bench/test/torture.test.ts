import { expect, test } from 'vitest'
import { torture } from '../src/torture/torture.ts'

test('kill -9 of broker and worker under load loses nothing and records nothing twice', {
  timeout: 60_000,
}, async () => {
  const lines: string[] = []
  const { figures, configuration } = await torture(
    {
      rounds: 1,
      seed: 1,
      inFlight: 20,
      concurrency: 10,
      workMsMax: 20,
      loadMs: 400,
      graceMs: 500,
      recheckMax: 500,
    },
    (line) => lines.push(line),
  )
  expect(lines.filter((line) => line.startsWith('round 1'))).toHaveLength(2)
  expect(configuration.seed).toBe(1)
  const value = (name: string) => figures.find((figure) => figure.name === name)?.median
  expect(value('tasks accepted')).toBeGreaterThan(50)
  expect(value('accepted tasks lost')).toBe(0)
  expect(value('outcomes recorded twice')).toBe(0)
  expect(value('broker killed: rounds with more duplicates than live leases')).toBe(0)
  expect(value('worker killed: rounds with more duplicates than live leases')).toBe(0)
})
