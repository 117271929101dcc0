import { settled } from '@sluice/testing'
import { expect, test } from 'vitest'
import { DeviceChannels } from '../../src/browser/channels.ts'
import { DeviceLocks } from '../../src/browser/locks.ts'
import { Process } from '../../src/nodes/process.ts'
import { makeContext } from '../surroundings.ts'

const machine = { clockOffsetMs: 0, lateMs: 0, resumesAtMs: 0 }

function tabs() {
  const { context, clock } = makeContext()
  const of = (n: number) => new Process(context, `tab-${n}`, 1, { ...machine })
  return { context, clock, one: of(1), two: of(2), three: of(3) }
}

test('a lock goes to the first who waits when its tab releases it or is gone, and is taken by force', async () => {
  const { one, two, three } = tabs()
  const locks = new DeviceLocks()
  const told: string[] = []
  const { signal } = new AbortController()
  const ask = (process: Process, options = {}) => {
    const lock = locks.of(process).request('lock', () => told.push(`${process.node} robbed`), { signal, ...options })
    void lock.then(() => told.push(process.node))
    return lock
  }
  const first = ask(one)
  const second = ask(two)
  await settled()
  expect(told).toEqual(['tab-1'])
  const { release } = await first
  release()
  await second
  void ask(three)
  void ask(one)
  two.kill()
  locks.ended(two)
  await settled()
  expect(told).toEqual(['tab-1', 'tab-2', 'tab-3'])
  await ask(one, { steal: true })
  expect(told).toContain('tab-3 robbed')
})

test('who does not want a lock any more does not get it', async () => {
  const { one, two } = tabs()
  const locks = new DeviceLocks()
  const held = await locks.of(one).request('lock', () => {}, { signal: new AbortController().signal })
  const taking = new AbortController()
  const waiting = locks.of(two).request('lock', () => {}, { signal: taking.signal })
  taking.abort(new Error('not now'))
  await expect(waiting).rejects.toThrow('not now')
  held.release()
  await locks.of(one).request('lock', () => {}, { signal: new AbortController().signal })
})

test('a message reaches the other tabs of its channel as a copy, and frozen ones now and then', () => {
  const { context, clock, one, two, three } = tabs()
  const channels = new DeviceChannels(context, 'browser-1')
  const heard: unknown[] = []
  let frozen = 0
  const speaker = channels.join('a', one, () => false)
  speaker.onmessage = () => heard.push('its own')
  channels.join('a', two, () => false).onmessage = (message) => heard.push(message)
  channels.join('a', three, () => true).onmessage = () => {
    frozen += 1
  }
  channels.join('b', two, () => false).onmessage = () => heard.push('another channel')
  const message = { n: 1 }
  for (let i = 0; i < 40; i += 1) speaker.post(message)
  message.n = 2
  while (clock.step());
  expect(heard).toEqual(Array.from({ length: 40 }, () => ({ n: 1 })))
  expect(frozen).toBeGreaterThan(5)
  expect(frozen).toBeLessThan(35)
  channels.ended(two)
  speaker.post(message)
  while (clock.step());
  expect(heard).toHaveLength(40)
})
