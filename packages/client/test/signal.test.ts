import { expect, test } from 'vitest'
import { withSignal } from '../src/signal.ts'

/** The rejections that nobody has heard of by the end of the turn. */
async function unheard(fn: () => Promise<void>): Promise<unknown[]> {
  const seen: unknown[] = []
  const listen = (reason: unknown): void => {
    seen.push(reason)
  }
  process.on('unhandledRejection', listen)
  await fn()
  await new Promise((resolve) => setTimeout(resolve, 10))
  process.off('unhandledRejection', listen)
  return seen
}

test('a promise that fails after its waiter gave up is no unhandled rejection, whenever that was', async () => {
  const seen = await unheard(async () => {
    const late = Promise.withResolvers<void>()
    await expect(withSignal(late.promise, AbortSignal.abort(new Error('before')))).rejects.toThrow('before')
    const controller = new AbortController()
    const later = Promise.withResolvers<void>()
    const waiting = withSignal(later.promise, controller.signal)
    controller.abort(new Error('meanwhile'))
    await expect(waiting).rejects.toThrow('meanwhile')
    late.reject(new Error('late'))
    later.reject(new Error('later'))
  })
  expect(seen).toEqual([])
})

test('the outcome counts where it comes first', async () => {
  const controller = new AbortController()
  const waiting = withSignal(Promise.resolve(7), controller.signal)
  expect(await waiting).toBe(7)
  controller.abort()
})
