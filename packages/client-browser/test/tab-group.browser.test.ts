import { tabGroup } from '@sluice/client-browser'
import { expect, onTestFinished, test, vi } from 'vitest'

const { locks, channel } = tabGroup()!
const name = () => `test-${crypto.randomUUID()}`
const { signal } = new AbortController()

const heldLocks = async (lock: string) =>
  ((await navigator.locks.query()).held ?? []).filter((held) => held.name === `sluice: ${lock}`).length

test('a lock has one holder, and the next in line gets it when it is released', async () => {
  const lock = name()
  const stolen = vi.fn()
  const first = await locks.request(lock, stolen, { signal })
  let isSecond = false
  const second = locks.request(lock, stolen, { signal }).then((held) => {
    isSecond = true
    return held
  })
  await navigator.locks.query()
  expect(isSecond).toBe(false)
  first.release()
  const { release } = await second
  release()
  release()
  await vi.waitUntil(async () => (await heldLocks(lock)) === 0)
  expect(stolen).not.toHaveBeenCalled()
})

test('a signal ends the wait with its reason, and leaves no request', async () => {
  const lock = name()
  const { release } = await locks.request(lock, () => {}, { signal })
  onTestFinished(release)
  const controller = new AbortController()
  const waiting = locks.request(lock, () => {}, { signal: controller.signal })
  controller.abort(new Error('enough'))
  await expect(waiting).rejects.toThrow('enough')
  expect((await navigator.locks.query()).pending?.filter((request) => request.name === `sluice: ${lock}`)).toEqual([])
  await expect(locks.request(lock, () => {}, { signal: controller.signal, steal: true })).rejects.toThrow('enough')
})

test('a stolen lock is told to its holder once, and only if it still held it', async () => {
  const lock = name()
  const [first, second] = [vi.fn(), vi.fn()]
  await locks.request(lock, first, { signal })
  const { release } = await locks.request(lock, second, { signal, steal: true })
  await vi.waitUntil(() => first.mock.calls.length === 1)
  release()
  const third = await locks.request(lock, () => {}, { signal, steal: true })
  third.release()
  await vi.waitUntil(async () => (await heldLocks(lock)) === 0)
  expect([first.mock.calls.length, second.mock.calls.length]).toEqual([1, 0])
})

test('a message reaches the other tabs of the name, not its sender and nobody after close', async () => {
  const [one, two, other] = [name(), name(), name()]
  const [sender, receiver, stranger] = [channel(one), channel(one), channel(two)]
  const heard: unknown[] = []
  for (const end of [sender, receiver, stranger]) {
    end.onmessage = (message) => heard.push([end === receiver, message])
    onTestFinished(() => end.close())
  }
  sender.post({ ids: ['a'] })
  await vi.waitUntil(() => heard.length > 0)
  receiver.close()
  sender.post('nobody')
  // Messages of one page arrive in their order: this one comes last.
  const [last, end] = [channel(other), channel(other)]
  onTestFinished(() => {
    last.close()
    end.close()
  })
  await new Promise((resolve) => {
    end.onmessage = resolve
    last.post('the end')
  })
  expect(heard).toEqual([[true, { ids: ['a'] }]])
})

test.each(['locks', 'BroadcastChannel'])('without %s there is no group', (missing) => {
  if (missing === 'locks') vi.spyOn(navigator, 'locks', 'get').mockReturnValue(undefined as never)
  else vi.stubGlobal(missing, undefined)
  onTestFinished(() => {
    vi.restoreAllMocks()
    vi.unstubAllGlobals()
  })
  expect(tabGroup()).toBeUndefined()
})
