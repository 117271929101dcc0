import { expect, test } from 'vitest'
import { Harness, refusalsOf, typesOf } from './harness.ts'

test.each(['ready', 'delayed', 'leased'])(
  '[CANCEL-1] a %s task is cancelled at once and its watchers are told',
  (state) => {
    const harness = new Harness()
    harness.open('p')
    harness.submit('a', state === 'delayed' ? { delayMs: 10 } : undefined, { session: 'p', watch: true })
    if (state === 'leased') {
      harness.worker('w')
      harness.dispatch()
    }
    expect(harness.stateOf('a')).toBe(state)
    const lease = state === 'leased' ? harness.leaseOf('a') : 0
    harness.told = []
    expect(typesOf(harness.cancel('a'))).toEqual(['taskCancelled'])
    expect(harness.told).toEqual([
      ...(lease ? [{ type: 'revoke', session: 'w', lease, reason: 'cancelled' }] : []),
      { type: 'outcome', sessions: ['p'], id: 'a', status: 'cancelled' },
    ])
    if (lease) expect(refusalsOf(harness.complete('w', lease))).toEqual([['lease_lost', 0]])
  },
)

test('[CANCEL-2] cancelling twice is no error, and a finished or unknown task is refused', () => {
  const harness = new Harness()
  harness.submit(['a', 'done', 'dead'])
  harness.worker('w')
  harness.dispatch()
  harness.complete('w', harness.leaseOf('done'))
  harness.fail('w', harness.leaseOf('dead'), { retryable: false })
  expect(typesOf(harness.cancel('a', 'a'))).toEqual(['taskCancelled'])
  expect(harness.cancel('a')).toEqual([])
  expect(refusalsOf(harness.cancel('done', 'none', 'dead'))).toEqual([
    ['task_finished', 0],
    ['unknown_task', 1],
    ['task_finished', 2],
  ])
})
