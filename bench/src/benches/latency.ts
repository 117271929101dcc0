import type { Bench } from '../bench.ts'
import { bodyBytes } from '../body.ts'
import { atMost, figure, median, quantile } from '../figure.ts'
import { fsyncMs } from '../fsync.ts'
import { systemLatency } from '../system.ts'
import { ceilingLatency } from './ceiling.ts'

export const latency: Bench = {
  name: 'latency',
  async run(scale) {
    const run = scale === 'full' ? { warmUp: 2000, count: 5000 } : { warmUp: 20, count: 50 }
    const repetitions = scale === 'full' ? 5 : 1
    const medians = { relay: [] as number[], memory: [] as number[], strict: [] as number[], fsync: [] as number[] }
    const tails = { relay: [] as number[], memory: [] as number[], strict: [] as number[] }
    const add = (name: keyof typeof tails, samples: number[]) => {
      medians[name].push(median(samples))
      tails[name].push(quantile(samples, 0.99))
    }
    for (let round = 0; round < repetitions; round++) {
      add('relay', await ceilingLatency(run))
      add('memory', await systemLatency('memory', run))
      add('strict', await systemLatency('strict', run))
      medians.fsync.push(fsyncMs(scale === 'full' ? 500 : 20))
    }
    const ratio = medians.memory.map((ms, round) => ms / medians.relay[round]!)
    const fsyncs = medians.strict.map((ms, round) => (ms - medians.memory[round]!) / medians.fsync[round]!)
    return {
      configuration: {
        load: 'one task at a time; the median of a repetition is one sample',
        'body bytes': bodyBytes,
        'warm-up tasks': run.warmUp,
        tasks: run.count,
        repetitions,
        fsync: 'append of 4 KiB and fsync, in the journals’ directory, nothing else running',
      },
      figures: [
        figure('relay, median', 'ms', medians.relay),
        figure('memory, median', 'ms', medians.memory),
        figure('strict, median', 'ms', medians.strict),
        figure('relay, 99th percentile', 'ms', tails.relay),
        figure('memory, 99th percentile', 'ms', tails.memory),
        figure('strict, 99th percentile', 'ms', tails.strict),
        figure('fsync', 'ms', medians.fsync),
        figure('memory, of the relay', '×', ratio, atMost(2)),
        figure('strict adds to memory', 'fsyncs', fsyncs, atMost(2)),
      ],
    }
  },
}
