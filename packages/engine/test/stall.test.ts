import { expect, test } from 'vitest'
import { checkState } from '../src/invariants.ts'
import { Harness, typesOf } from './harness.ts'

const stall = (harness: Harness, ms: number) => {
  harness.nowMs += ms
  return harness.apply({ type: 'stall', ms })
}

test('[LEASE-10] a stall of the broker is no time of a lease, so that a live worker loses none', () => {
  const harness = new Harness()
  harness.submit(['a', 'b'], { leaseMs: 100 })
  harness.submit('c', { leaseMs: 200 })
  harness.worker('w')
  harness.dispatch()
  harness.advance(60)
  expect(typesOf(stall(harness, 5000))).toEqual(['brokerStalled'])
  checkState(harness.state)
  expect(harness.advance(39)).toEqual([])
  expect(typesOf(harness.advance(1))).toEqual(['attemptFailed', 'attemptFailed'])
  expect(harness.advance(99)).toEqual([])
  expect(typesOf(harness.advance(1))).toEqual(['attemptFailed'])
})

test('[LEASE-10] nor is it time of a grace window or of a rest', () => {
  const harness = new Harness({ config: { graceMs: 100 } })
  harness.submit('a', { leaseMs: 100 })
  harness.worker('w', 1)
  harness.open('away')
  harness.dispatch()
  harness.advance(100)
  harness.hear('w')
  harness.apply({ type: 'disconnectSession', session: 'away' })
  stall(harness, 5000)
  checkState(harness.state)
  expect(harness.advance(99)).toEqual([])
  expect(typesOf(harness.advance(1))).toEqual(['sessionClosed'])
  expect(harness.advance(899)).toEqual([])
  expect(typesOf(harness.advance(1))).toEqual(['sessionRested'])
})

test('[LEASE-10] delays, times-to-live and records are not prolonged, and where nothing else runs nothing happens', () => {
  const harness = new Harness()
  harness.submit('delayed', { delayMs: 1000 })
  harness.submit('mortal', { ttlMs: 1000 })
  harness.submit('record', { resultTtlMs: 1000 })
  harness.cancel('record')
  harness.open('w')
  expect(stall(harness, 1000)).toEqual([])
  expect(typesOf(harness.tick()).sort()).toEqual(['taskDied', 'taskForgotten', 'taskReadied'])
})

test('[LEASE-10] what is due among leases that are prolonged is still found in its order', () => {
  const harness = new Harness()
  for (const leaseMs of [300, 100, 200]) harness.submit(`l${leaseMs}`, { leaseMs })
  harness.submit('record', { resultTtlMs: 150 })
  harness.submit('delayed', { delayMs: 250 })
  harness.worker('w')
  harness.dispatch()
  harness.complete('w', harness.leaseOf('record'))
  stall(harness, 70)
  checkState(harness.state)
  const due = harness.advance(1000).flatMap((event) => ('id' in event ? [event.id] : []))
  expect(due).toEqual(['record', 'l100', 'delayed', 'l200', 'l300'])
})
