import { expect, inject, test } from 'vitest'
import { hashedRuns } from './hashed-runs.ts'

test('the same seed has the same hash in a browser as in Node', async () => {
  const ofNode = inject('worldHashes')
  expect(new Set(Object.values(ofNode)).size).toBe(26)
  expect(await hashedRuns()).toEqual(ofNode)
}, 120_000)
