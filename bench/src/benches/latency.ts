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
    const medians = { relay: [] as number[], memory: [] as number[], strict: [] as number[] }
    const tails = { relay: [] as number[], memory: [] as number[], strict: [] as number[] }
    const fsyncs = { busy: [] as number[], rested: [] as number[] }
    const appends: number[] = []
    const add = (name: keyof typeof tails, samples: number[]) => {
      medians[name].push(median(samples))
      tails[name].push(quantile(samples, 0.99))
    }
    for (let round = 0; round < repetitions; round++) {
      add('relay', await ceilingLatency(run))
      add('memory', (await systemLatency('memory', run)).samples)
      const strict = await systemLatency('strict', run)
      add('strict', strict.samples)
      appends.push(strict.appendsPerTask)
      const count = scale === 'full' ? 500 : 20
      fsyncs.busy.push(fsyncMs(count, 0))
      // A task in `strict` is two commits, and between them the broker waits for half of what a task takes without.
      fsyncs.rested.push(fsyncMs(count, medians.memory[round]! / 2))
    }
    const ratio = medians.memory.map((ms, round) => ms / medians.relay[round]!)
    const added = (fsync: number[]) => medians.strict.map((ms, round) => (ms - medians.memory[round]!) / fsync[round]!)
    return {
      configuration: {
        load: 'one task at a time; the median of a repetition is one sample',
        'body bytes': bodyBytes,
        'warm-up tasks': run.warmUp,
        tasks: run.count,
        repetitions,
        fsync:
          'append of 4 KiB and fsync, in the journals’ directory, nothing else running: busy, one straight after the other; rested, each after a pause of half a task in memory, as the broker’s commits come',
      },
      figures: [
        figure('relay, median', 'ms', medians.relay),
        figure('memory, median', 'ms', medians.memory),
        figure('strict, median', 'ms', medians.strict),
        figure('relay, 99th percentile', 'ms', tails.relay),
        figure('memory, 99th percentile', 'ms', tails.memory),
        figure('strict, 99th percentile', 'ms', tails.strict),
        figure('fsync, busy', 'ms', fsyncs.busy),
        figure('fsync, rested', 'ms', fsyncs.rested),
        figure('memory, of the relay', '×', ratio, atMost(2)),
        figure('strict writes for a task', 'appends', appends, atMost(2.1)),
        figure('strict adds, of a rested fsync', '×', added(fsyncs.rested), atMost(2)),
        figure('strict adds, of a busy fsync', '×', added(fsyncs.busy), atMost(2)),
      ],
    }
  },
}
