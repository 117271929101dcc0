import { createBroker } from '@sluice/broker'
import { JournalDamagedError } from '@sluice/broker/journal'
import { sleep } from '../wait.ts'
import { recordedOutcomes } from './recorded.ts'
import { WitnessWorker } from './witness-worker.ts'

/** What a broker on a spoiled copy did. */
export interface Served {
  /** The damage that the broker refused or stopped for. */
  damage?: string
  /** What it served although it should not have. */
  wrong: readonly string[]
  /** Of the tasks asked for, the recorded outcomes; undefined for one that it does not know. */
  recorded: Map<string, string | undefined>
}

const drainedWithinMs = 20_000
const quietMs = 30

/** Runs a broker on a journal until a worker has been given all that it still holds. */
export async function serveCopy(
  path: string,
  keys: ReadonlyMap<string, string>,
  asked: readonly string[],
): Promise<Served> {
  let failure: Error | undefined
  const damageOf = (error: unknown): string => {
    if (!(error instanceof JournalDamagedError)) throw error
    return error.message
  }
  let broker: Awaited<ReturnType<typeof createBroker>>
  try {
    broker = await createBroker({
      journal: { kind: 'sqlite', path },
      port: 0,
      // What a killed worker held comes back at once.
      engine: { graceMs: 1 },
      onFailure: (error) => {
        failure = error
      },
    })
  } catch (error) {
    return { damage: damageOf(error), wrong: [], recorded: new Map() }
  }
  try {
    await using worker = new WitnessWorker({ url: broker.url, keys })
    worker.start()
    const endMs = performance.now() + drainedWithinMs
    while (!failure && (await unfinished(broker.httpUrl)) > 0) {
      if (performance.now() > endMs) throw new Error(`tasks are still unfinished after ${drainedWithinMs} ms`)
      await sleep(quietMs)
    }
    if (failure) return { damage: damageOf(failure), wrong: worker.wrong, recorded: new Map() }
    return { wrong: worker.wrong, recorded: await recordedOutcomes(broker.httpUrl, asked) }
  } finally {
    await broker.close()
  }
}

async function unfinished(httpUrl: string): Promise<number> {
  const answer = await fetch(`${httpUrl}/v1/queues`)
  const { queues = [] } = (await answer.json()) as { queues?: Record<string, number>[] }
  return queues.reduce((sum, { ready = 0, delayed = 0, leased = 0 }) => sum + ready + delayed + leased, 0)
}
