import { afterEach, expect, test, vi } from 'vitest'
import { drainOnSignals } from '../src/index.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

/** A worker that has left when the test says so. */
function leaving() {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { worker: { drain: vi.fn(() => promise) }, left: resolve }
}

test('a process with several workers leaves when the last of them has', async () => {
  const exit = vi.spyOn(process, 'exit').mockImplementation((() => {}) as never)
  const others = process.listeners('SIGTERM')
  const [first, second] = [leaving(), leaving()]
  const forget = [first, second].map(({ worker }) => drainOnSignals(worker, { graceMs: 70 }))
  for (const listener of process.listeners('SIGTERM')) if (!others.includes(listener)) listener('SIGTERM')
  for (const { worker } of [first, second]) expect(worker.drain).toHaveBeenCalledWith({ graceMs: 70 })
  second.left()
  await new Promise(setImmediate)
  expect(exit).not.toHaveBeenCalled()
  first.left()
  await new Promise(setImmediate)
  expect(exit.mock.calls).toEqual([[0]])
  for (const each of forget) each()
  expect(process.listeners('SIGTERM')).toEqual(others)
})
