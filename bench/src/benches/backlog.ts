import type { Bench } from '../bench.ts'
import { bodyBytes } from '../body.ts'
import { startBroker } from '../broker.ts'
import { type Child, Processes } from '../child.ts'
import { atLeast, atMost, figure } from '../figure.ts'
import { Scratch } from '../machine.ts'
import type { MemoryUse } from '../processes/broker.ts'
import type { Window } from '../rate.ts'
import { concurrency, queue, startWorker } from '../system.ts'
import { inFlight } from './ceiling.ts'

/** For the measurement of memory: bodies are in the journal. */
const bodyCacheBytesMax = 1024 ** 2

const rawProducer = new URL('../processes/raw-producer.ts', import.meta.url)

/** A broker with one queue of `waiting` tasks. */
async function filled(processes: Processes, path: string, waiting: number): Promise<{ url: string; producer: Child }> {
  const { url } = await startBroker(processes, {
    durability: 'strict',
    path,
    engine: { queueTasksMax: waiting + 2 * inFlight },
  })
  const producer = await processes.start(rawProducer, { url, queue })
  await producer.call('fill', { count: waiting, watch: true })
  return { url, producer }
}

/** Tasks a second that a worker drains while the producer keeps the backlog as long as it was. */
async function drain(waiting: number, window: Window): Promise<number> {
  using scratch = new Scratch()
  await using processes = new Processes()
  const { url, producer } = await filled(processes, scratch.file('journal.db'), waiting + inFlight)
  await startWorker(processes, url)
  return await producer.call<number>('throughput', window)
}

/** Bytes that the broker holds for each waiting task while it keeps next to no bodies. */
async function memoryForEach(waiting: number): Promise<{ used: number; resident: number }> {
  using scratch = new Scratch()
  await using processes = new Processes()
  const broker = await startBroker(
    processes,
    { durability: 'strict', path: scratch.file('journal.db'), hosting: { bodyCacheBytesMax } },
    ['--expose-gc'],
  )
  const producer = await processes.start(rawProducer, { url: broker.url, queue })
  const before = await broker.child.call<MemoryUse>('memory')
  await producer.call('fill', { count: waiting, watch: true })
  const after = await broker.child.call<MemoryUse>('memory')
  return {
    used: (after.heapUsed + after.external - before.heapUsed - before.external) / waiting,
    resident: (after.rss - before.rss) / waiting,
  }
}

export const backlog: Bench = {
  name: 'backlog',
  async run(scale) {
    const window = scale === 'full' ? { warmUpMs: 3000, runMs: 5000 } : { warmUpMs: 200, runMs: 500 }
    const repetitions = scale === 'full' ? 3 : 1
    const few = scale === 'full' ? 1000 : 100
    const many = scale === 'full' ? 1_000_000 : 10_000
    const withFew: number[] = []
    const withMany: number[] = []
    const used: number[] = []
    const resident: number[] = []
    for (let round = 0; round < repetitions; round++) {
      withFew.push(await drain(few, window))
      withMany.push(await drain(many, window))
      const memory = await memoryForEach(many)
      used.push(memory.used)
      resident.push(memory.resident)
    }
    const label = (waiting: number) => `${waiting.toLocaleString('en')} waiting`
    const share = withMany.map((rate, round) => (100 * rate) / withFew[round]!)
    return {
      configuration: {
        durability: 'strict',
        load: 'one queue, first in first out; it is filled, then a worker drains it while each outcome makes the producer submit one more',
        producer:
          'one session on the bare protocol that watches every task; it keeps a counter, not a handle, for each',
        'under way besides the backlog': inFlight,
        'body bytes': bodyBytes,
        'worker concurrency': concurrency,
        memory: `of another broker with a body cache of ${bodyCacheBytesMax} bytes, after garbage collection: full less empty, for each waiting task`,
        'warm-up ms': window.warmUpMs,
        'run ms': window.runMs,
        repetitions,
      },
      figures: [
        figure(label(few), 'tasks/s', withFew),
        figure(label(many), 'tasks/s', withMany),
        figure(`${label(many)}, of ${label(few)}`, '%', share, atLeast(80)),
        figure('heap and buffers for a waiting task', 'bytes', used, atMost(500)),
        figure('resident memory for a waiting task', 'bytes', resident),
      ],
    }
  },
}
