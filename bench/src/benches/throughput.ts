import type { Bench } from '../bench.ts'
import { bodyBytes } from '../body.ts'
import { atLeast, figure } from '../figure.ts'
import { concurrency, systemThroughput } from '../system.ts'
import { ceilingThroughput, inFlight } from './ceiling.ts'

const ceilingBatch = 100

export const throughput: Bench = {
  name: 'throughput',
  async run(scale) {
    const window = scale === 'full' ? { warmUpMs: 3000, runMs: 5000 } : { warmUpMs: 200, runMs: 500 }
    const repetitions = scale === 'full' ? 5 : 1
    const ceiling: number[] = []
    const strict: number[] = []
    const memory: number[] = []
    // The three alternate, and a ratio is taken inside a round: the machine's mood cancels out.
    for (let round = 0; round < repetitions; round++) {
      ceiling.push(await ceilingThroughput(ceilingBatch, window))
      strict.push(await systemThroughput('strict', inFlight, window))
      memory.push(await systemThroughput('memory', inFlight, window))
    }
    const share = (samples: number[]) => samples.map((rate, round) => (100 * rate) / ceiling[round]!)
    return {
      configuration: {
        processes: 'one producer, one broker, one worker, and nothing else',
        'body bytes': bodyBytes,
        'in flight': inFlight,
        batching: 'by the client itself; the caller submits single tasks and awaits their results',
        'worker concurrency': concurrency,
        'ceiling batch': ceilingBatch,
        'warm-up ms': window.warmUpMs,
        'run ms': window.runMs,
        repetitions,
      },
      figures: [
        figure(`relay, batch ${ceilingBatch}`, 'tasks/s', ceiling),
        figure('strict', 'tasks/s', strict),
        figure('memory', 'tasks/s', memory),
        figure('strict, of the relay', '%', share(strict), atLeast(20)),
        figure('memory, of the relay', '%', share(memory), atLeast(30)),
      ],
    }
  },
}
