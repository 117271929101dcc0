import { createClient, defineTask } from '@sluice/client'
import { nodePlatform } from '@sluice/worker-node'
import { type Input, input } from '../body.ts'
import { serve } from '../child.ts'
import { rateOf, type Window } from '../rate.ts'

export interface ProducerSettings {
  url: string
  queue: string
  token?: string
}

// An ordinary caller: it submits one task at a time and awaits its result; the client does all the batching there is.
serve(async ({ url, queue, token }: ProducerSettings) => {
  const client = createClient({ url, platform: nodePlatform, ...(token === undefined ? {} : { token }) })
  const contract = defineTask<Input, Input>({ queue })
  let submitted = 0
  let finished = 0
  const runOne = async () => {
    const task = input(submitted++)
    const handle = await client.submit(contract, task)
    const result = await handle.result()
    if (result.n !== task.n) throw new Error(`task ${task.n} was answered with the result of ${result.n}`)
    finished++
  }
  return {
    /** Tasks that have come back so far. */
    finished: () => finished,
    /** Tasks a second with `inFlight` tasks under way. */
    async throughput({ inFlight, ...window }: Window & { inFlight: number }): Promise<number> {
      let running = true
      const callers = Promise.all(
        Array.from({ length: inFlight }, async () => {
          while (running) await runOne()
        }),
      )
      const rate = await Promise.race([rateOf(() => finished, window), callers.then(() => 0)])
      running = false
      await callers
      return rate
    },
    /** Milliseconds of each of `count` tasks that are submitted one after another, without the first `warmUp` ones. */
    async latency({ warmUp, count }: { warmUp: number; count: number }): Promise<number[]> {
      const samples: number[] = []
      for (let index = -warmUp; index < count; index++) {
        const startMs = performance.now()
        await runOne()
        if (index >= 0) samples.push(performance.now() - startMs)
      }
      return samples
    },
  }
})
