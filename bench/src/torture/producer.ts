import { createClient, defineTask, TaskDeadError } from '@sluice/client'
import { serve } from '../child.ts'
import { machineMs } from '../clock.ts'
import { sleep } from '../wait.ts'
import { Heard } from './heard.ts'
import { deadOutcome } from './outcome.ts'

export interface TortureProducerSettings {
  url: string
  queue: string
  inFlight: number
  workMsMax: number
  leaseMs: number
  attemptsMax: number
  /** Between two attempts to connect. Default: the client's. */
  backoffMsMax?: number
}

/** What a producer knows of one accepted task. */
export interface ToldTask {
  id: string
  /** The result's own word, or that of `deadOutcome`; undefined while nothing was told. */
  outcome?: string
  /** When the outcome was told, on the clock of the machine. */
  toldMs?: number
}

/** What a producer knows of the tasks since the last report. */
export interface ProducerReport {
  accepted: ToldTask[]
  /** Messages of submissions that failed for good: never accepted, so nothing was promised. */
  refused: string[]
}

// This process lives through all rounds, and so does its client: what it awaits has to come through every restart.
serve(async ({ url, queue, inFlight, workMsMax, leaseMs, attemptsMax, backoffMsMax }: TortureProducerSettings) => {
  const heard = new Heard()
  const client = createClient({
    url,
    platform: heard.platform,
    ...(backoffMsMax !== undefined && { timings: { backoffMsMax } }),
  })
  const retry = { kind: 'fixed', attemptsMax, delayMs: 10 } as const
  const contract = defineTask<{ workMs: number }, { execution: string }>({ queue, options: { leaseMs, retry } })
  let report: ProducerReport = { accepted: [], refused: [] }
  let running = false
  let callers: Promise<unknown> = Promise.resolve()

  const runOne = async () => {
    const handle = await client.submit(contract, { workMs: Math.round(Math.random() * workMsMax) })
    const told: ToldTask = { id: handle.id }
    report.accepted.push(told)
    try {
      told.outcome = (await handle.result()).execution
    } catch (error) {
      if (!(error instanceof TaskDeadError)) throw error
      told.outcome = deadOutcome(error.reason, error.attempts, error.error?.message)
    }
    told.toldMs = machineMs()
  }

  return {
    told: () => heard.told,
    go() {
      running = true
      callers = Promise.all(
        Array.from({ length: inFlight }, async () => {
          while (running) await runOne().catch((error: Error) => report.refused.push(error.message))
        }),
      )
    },
    /** Submits nothing more and waits for what is under way, `limitMs` at most; then tells all since the last report. */
    async stop({ limitMs }: { limitMs: number }): Promise<ProducerReport> {
      running = false
      await Promise.race([callers, sleep(limitMs)])
      const told = report
      report = { accepted: [], refused: [] }
      return told
    },
  }
})
