import type { Bench } from '../bench.ts'
import { bodyBytes } from '../body.ts'
import { type Child, Processes } from '../child.ts'
import { figure } from '../figure.ts'
import type { Window } from '../rate.ts'

const relay = new URL('../processes/relay.ts', import.meta.url)
const relayWorker = new URL('../processes/relay-worker.ts', import.meta.url)
const relayProducer = new URL('../processes/relay-producer.ts', import.meta.url)

export const inFlight = 5000

async function withRelay<T>(batch: number, use: (producer: Child) => Promise<T>): Promise<T> {
  await using processes = new Processes()
  const port = await (await processes.start(relay, {})).call<number>('port')
  await processes.start(relayWorker, { port })
  return await use(await processes.start(relayProducer, { port, batch, inFlight }))
}

/** Tasks a second through the relay, in three new processes. */
export function ceilingThroughput(batch: number, window: Window): Promise<number> {
  return withRelay(batch, (producer) => producer.call<number>('throughput', window))
}

/** Milliseconds of single tasks through the relay, in three new processes. */
export function ceilingLatency(run: { warmUp: number; count: number }): Promise<number[]> {
  return withRelay(1, (producer) => producer.call<number[]>('latency', run))
}

export const ceiling: Bench = {
  name: 'ceiling',
  async run(scale) {
    const window = scale === 'full' ? { warmUpMs: 1000, runMs: 4000 } : { warmUpMs: 100, runMs: 300 }
    const repetitions = scale === 'full' ? 5 : 1
    const rates = new Map<number, number[]>([
      [1, []],
      [10, []],
      [100, []],
    ])
    for (let round = 0; round < repetitions; round++)
      for (const [batch, samples] of rates) samples.push(await ceilingThroughput(batch, window))
    return {
      configuration: {
        processes: 'producer → relay → worker → relay → producer, one process each',
        'body bytes': bodyBytes,
        'in flight': inFlight,
        'warm-up ms': window.warmUpMs,
        'run ms': window.runMs,
        repetitions,
      },
      figures: [...rates].map(([batch, samples]) => figure(`relay, batch ${batch}`, 'tasks/s', samples)),
    }
  },
}
