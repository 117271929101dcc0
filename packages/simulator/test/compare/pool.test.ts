import { expect, test } from 'vitest'
import type { Order } from '../../src/compare/jobs.ts'
import { type JobWorker, Pool } from '../../src/compare/pool.ts'

/** Workers that answer when they are told to. */
class Hands {
  readonly started: FakeWorker[] = []
  readonly start = (): JobWorker => {
    const worker = new FakeWorker()
    this.started.push(worker)
    return worker
  }
}

class FakeWorker implements JobWorker {
  onmessage: JobWorker['onmessage'] = null
  onerror: JobWorker['onerror'] = null
  readonly orders: Order[] = []
  isEnded = false
  postMessage(order: Order): void {
    this.orders.push(order)
  }
  terminate(): void {
    this.isEnded = true
  }
  answer(result: unknown): void {
    this.onmessage?.({ data: { result } })
  }
}

const order = (seed: number) => ({ case: 'metastable', variant: 0, remedy: 'none' as const, atMs: 0, seed })

test('a Worker does one job at a time and is used again', async () => {
  const hands = new Hands()
  const pool = new Pool(hands.start, 1)
  const both = [pool.do('fork', order(1)), pool.do('fork', order(2))]
  const [worker] = hands.started as [FakeWorker]
  expect(worker.orders).toHaveLength(1)
  worker.answer('first')
  expect(worker.orders).toHaveLength(2)
  worker.answer('second')
  expect(await Promise.all(both)).toEqual(['first', 'second'])
  expect(hands.started).toHaveLength(1)
})

test('a job whose signal has fired is not begun, and one that has begun is dropped', async () => {
  const hands = new Hands()
  const pool = new Pool(hands.start, 1)
  const aborting = new AbortController()
  const begun = pool.do('fork', order(1), aborting.signal)
  const waiting = pool.do('fork', order(2), aborting.signal)
  const other = pool.do('fork', order(3))
  aborting.abort(new Error('stopped'))
  const [worker] = hands.started as [FakeWorker]
  worker.answer('late')
  await expect(begun).rejects.toThrow('stopped')
  await expect(waiting).rejects.toThrow('stopped')
  worker.answer('other')
  expect(await other).toBe('other')
  expect(worker.orders.map((one) => (one.order as { seed: number }).seed)).toEqual([1, 3])
})

test('a Worker that stops is replaced', async () => {
  const hands = new Hands()
  const pool = new Pool(hands.start, 1)
  const first = pool.do('fork', order(1))
  const second = pool.do('fork', order(2))
  hands.started[0]?.onerror?.({ message: 'out of memory' })
  await expect(first).rejects.toThrow('out of memory')
  expect(hands.started[0]?.isEnded).toBe(true)
  hands.started[1]?.answer('second')
  expect(await second).toBe('second')
})
