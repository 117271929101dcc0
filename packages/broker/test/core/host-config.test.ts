import { DEFAULT_LIMITS } from '@sluice/protocol'
import { expect, test } from 'vitest'
import { BATCH_BODY_BYTES_MAX, contradictionsIn, DEFAULT_HOST_CONFIG } from '../../src/core/index.ts'

test('[LIMIT-1] no bound of the host or of the wire can be switched off, and the one at fault is named', () => {
  expect(contradictionsIn(DEFAULT_HOST_CONFIG, BATCH_BODY_BYTES_MAX)).toEqual([])
  const { limits: _, ...bounds } = DEFAULT_HOST_CONFIG
  const wrong = [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]
  for (const [i, name] of Object.keys(bounds).entries()) {
    const value = wrong[i % wrong.length] as number
    expect(contradictionsIn({ ...DEFAULT_HOST_CONFIG, [name]: value }, BATCH_BODY_BYTES_MAX)).toContain(
      `${name} must be a whole number of at least 1, not ${value}`,
    )
  }
  for (const name of Object.keys(DEFAULT_LIMITS)) {
    const limits = { ...DEFAULT_LIMITS, [name]: 0 }
    expect(contradictionsIn({ ...DEFAULT_HOST_CONFIG, limits }, BATCH_BODY_BYTES_MAX)).toContain(
      `${name} must be a whole number of at least 1, not 0`,
    )
  }
})

test('one body, one progress value and their names have to fit into a frame of either kind', () => {
  const problemsOf = (limits: object) =>
    contradictionsIn(
      { ...DEFAULT_HOST_CONFIG, limits: { ...DEFAULT_HOST_CONFIG.limits, ...limits } },
      BATCH_BODY_BYTES_MAX,
    )
  const small = { frameBytesMax: 4096, bodyBytesMax: 2048, nameLengthMax: 128, progressBytesMax: 2048 }
  expect(problemsOf(small)).toEqual([])
  expect(problemsOf({ ...small, nameLengthMax: 400 })).toEqual([
    'frameBytesMax (4096) must be at least 4188 for a body of bodyBytesMax (2048) with names of nameLengthMax (400)',
  ])
  expect(problemsOf({ ...small, progressBytesMax: 2049 })).toEqual([
    'progressBytesMax (2049) must be at most half of frameBytesMax (4096)',
  ])
})
