import { randomUUID } from 'node:crypto'
import { openSync, writeSync } from 'node:fs'
import { createWorker } from '@sluice/worker-node'
import { serve } from '../child.ts'
import { machineMs } from '../clock.ts'
import { sleep } from '../wait.ts'
import { Heard } from './heard.ts'

export interface TortureWorkerSettings {
  url: string
  queue: string
  concurrency: number
  /** Every start of a handler is appended here, `<machine ms> <task id>` a line, before the handler does anything. */
  log: string
  /** Between two attempts to connect. Default: the client's. */
  backoffMsMax?: number
}

/** How a handler takes its process down: at once, in the midst of its work, or by never giving the process back. */
export type Crash = 'exit' | 'rejection' | 'kill' | 'block'

export interface TortureInput {
  workMs: number
  crash?: Crash
}

// The result holds a word that no other execution says: two outcomes of one task cannot look alike.
serve(async ({ url, queue, concurrency, log, backoffMsMax }: TortureWorkerSettings) => {
  // A write has reached the kernel when it returns, so that kill -9 of this process loses no line.
  const file = openSync(log, 'a')
  const heard = new Heard()
  const worker = createWorker({
    url,
    platform: heard.platform,
    concurrency,
    handlers: {
      [queue]: async ({ workMs, crash }: TortureInput, { id }: { id: string }) => {
        writeSync(file, `${machineMs()} ${id}\n`)
        if (crash !== undefined) end(crash, workMs / 2)
        await sleep(workMs)
        return { execution: randomUUID() }
      },
    },
    ...(backoffMsMax !== undefined && { timings: { backoffMsMax } }),
  })
  worker.start()
  return { told: () => heard.told }
})

function end(crash: Crash, lateMs: number): void {
  switch (crash) {
    case 'exit':
      process.exit(1)
      break
    case 'kill':
      process.kill(process.pid, 'SIGKILL')
      break
    case 'rejection':
      setTimeout(() => Promise.reject(new Error('a rejection that nobody handles')), lateMs)
      break
    case 'block':
      for (;;);
  }
}
