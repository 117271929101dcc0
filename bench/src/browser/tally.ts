import { createWorker, type Worker } from '@sluice/client'
import { startBroker } from '../broker.ts'
import type { Processes } from '../child.ts'

const QUEUE = 'trial'
const CONCURRENCY = 50

/** A broker that is there when it is started, and a worker that counts which tasks it was given. */
export class Tally {
  readonly url: string
  /** How often each input was worked on, by tab and number. */
  readonly runs = new Map<string, number>()
  readonly ids = new Set<string>()
  readonly #worker: Worker

  private constructor(url: string) {
    this.url = url
    this.#worker = createWorker({
      url,
      concurrency: CONCURRENCY,
      handlers: {
        [QUEUE]: (input, { id }) => {
          const { tab, n } = input as { tab: string; n: number }
          const name = `${tab} ${n}`
          this.runs.set(name, (this.runs.get(name) ?? 0) + 1)
          this.ids.add(id)
        },
      },
    })
  }

  static async start(processes: Processes, path: string): Promise<Tally> {
    const { url } = await startBroker(processes, { durability: 'strict', path })
    const tally = new Tally(url)
    await tally.#worker.start()
    return tally
  }

  /** The inputs that were worked on more than once. */
  get doubles(): string[] {
    return [...this.runs].filter(([, runs]) => runs > 1).map(([name]) => name)
  }

  close(): Promise<void> {
    return this.#worker.close()
  }
}
