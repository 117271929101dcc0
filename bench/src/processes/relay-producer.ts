import { WebSocket } from 'ws'
import { input } from '../body.ts'
import { serve } from '../child.ts'
import { rateOf, type Window } from '../rate.ts'

export interface RelayProducerSettings {
  port: number
  batch: number
  inFlight: number
}

// Keeps `inFlight` tasks under way in messages of `batch` tasks, and parses every result.
serve(async ({ port, batch, inFlight }: RelayProducerSettings) => {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/producer`, {
    perMessageDeflate: false,
    skipUTF8Validation: true,
  })
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
  let submitted = 0
  let finished = 0
  let onResult = () => {}
  const submit = () => {
    const tasks = new Array<unknown>(batch)
    for (let index = 0; index < batch; index++) tasks[index] = input(submitted++)
    socket.send(Buffer.from(JSON.stringify(tasks)))
  }
  socket.on('message', (data: Buffer) => {
    finished += (JSON.parse(data.toString()) as unknown[]).length
    onResult()
  })
  return {
    /** Tasks a second with `inFlight` tasks under way. */
    async throughput(window: Window): Promise<number> {
      onResult = submit
      for (let sent = 0; sent < inFlight; sent += batch) submit()
      const rate = await rateOf(() => finished, window)
      onResult = () => {}
      return rate
    },
    /** Milliseconds of each of `count` tasks that are submitted one after another, without the first `warmUp` ones. */
    async latency({ warmUp, count }: { warmUp: number; count: number }): Promise<number[]> {
      const samples: number[] = []
      for (let index = -warmUp; index < count; index++) {
        const startMs = performance.now()
        const answered = new Promise<void>((resolve) => {
          onResult = resolve
        })
        submit()
        await answered
        if (index >= 0) samples.push(performance.now() - startMs)
      }
      return samples
    },
  }
})
