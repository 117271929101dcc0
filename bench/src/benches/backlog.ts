import type { Bench } from '../bench.ts'
import { bodyBytes } from '../body.ts'
import { startBroker } from '../broker.ts'
import { Processes } from '../child.ts'
import { atLeast, atMost, figure } from '../figure.ts'
import { Scratch } from '../machine.ts'
import type { MemoryUse } from '../processes/broker.ts'
import { concurrency, queue, startWorker } from '../system.ts'
import type { Window } from './ceiling.ts'
import { inFlight } from './ceiling.ts'

const rawProducer = new URL('../processes/raw-producer.ts', import.meta.url)

interface Drained {
  rate: number
  /** Broker memory for each waiting task, before the worker came. */
  memoryBytes: number
}

/** Fills a new queue, then lets a worker drain it while the producer keeps it as long as it was. */
async function drain(waiting: number, window: Window): Promise<Drained> {
  using scratch = new Scratch()
  await using processes = new Processes()
  const broker = await startBroker(
    processes,
    { durability: 'strict', path: scratch.file('journal.db'), queueTasksMax: waiting + 2 * inFlight },
    ['--expose-gc'],
  )
  const producer = await processes.start(rawProducer, { url: broker.url, queue })
  const memory = async () => {
    const { heapUsed, external } = await broker.child.call<MemoryUse>('memory')
    return heapUsed + external
  }
  const before = await memory()
  await producer.call('fill', { count: waiting, watch: true })
  const memoryBytes = ((await memory()) - before) / waiting
  await producer.call('fill', { count: inFlight, watch: true })
  await startWorker(processes, broker.url)
  return { rate: await producer.call<number>('throughput', window), memoryBytes }
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
    const memory: number[] = []
    for (let round = 0; round < repetitions; round++) {
      withFew.push((await drain(few, window)).rate)
      const drained = await drain(many, window)
      withMany.push(drained.rate)
      memory.push(drained.memoryBytes)
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
        memory:
          'heap and external memory of the broker after garbage collection, full less empty, for each waiting task',
        'warm-up ms': window.warmUpMs,
        'run ms': window.runMs,
        repetitions,
      },
      figures: [
        figure(label(few), 'tasks/s', withFew),
        figure(label(many), 'tasks/s', withMany),
        figure(`${label(many)}, of ${label(few)}`, '%', share, atLeast(80)),
        figure('broker memory for a waiting task', 'bytes', memory, atMost(500)),
      ],
    }
  },
}
