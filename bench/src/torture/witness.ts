import { type Client, createClient, TaskDeadError, type TaskHandle, uuidv7Source } from '@sluice/client'
import { nodePlatform } from '@sluice/worker-node'
import { sleep } from '../wait.ts'
import { deadOutcome } from './outcome.ts'
import type { ToldTask } from './producer.ts'
import { wholeBetween } from './random.ts'
import { WitnessWorker, witnessed, witnessQueue } from './witness-worker.ts'

const options = { leaseMs: 3000, retry: { kind: 'fixed', attemptsMax: 1000, delayMs: 10 } } as const

export interface WitnessSettings {
  url: string
  random: () => number
  /** Tasks under way at once. */
  inFlight: number
  /** Characters of a body's filler: up to this many. */
  fillerMax: number
  /** A handler takes 0 to this many ms. */
  workMsMax: number
}

/** Submits tasks and handles them, in this process, and knows of each what its body was. */
export class Witness implements AsyncDisposable {
  /** Everything that was acknowledged, with its outcome once that was told. */
  readonly accepted: ToldTask[] = []
  /** Errors that nothing explains. */
  readonly refused: string[] = []
  /** The key of the body that was submitted under an id, acknowledged or not. */
  readonly keys = new Map<string, string>()
  readonly #settings: WitnessSettings
  readonly #client: Client
  readonly #worker: WitnessWorker
  readonly #newId = uuidv7Source(nodePlatform)
  #running = false
  #callers: Promise<unknown> = Promise.resolve()

  constructor(settings: WitnessSettings) {
    this.#settings = settings
    const { url, random, workMsMax } = settings
    this.#client = createClient({ url, platform: nodePlatform, timings: { backoffMsMax: 200 } })
    this.#worker = new WitnessWorker({ url, keys: this.keys, workMs: () => random() * workMsMax })
  }

  /** What was wrong with bodies that reached a handler. */
  get wrong(): readonly string[] {
    return this.#worker.wrong
  }

  /** Handlers begin. */
  work(): void {
    this.#worker.start()
  }

  /** Submissions begin. */
  submit(): void {
    this.#running = true
    this.#callers = Promise.all(
      Array.from({ length: this.#settings.inFlight }, async () => {
        while (this.#running) await this.#one()
      }),
    )
  }

  /** Submits nothing more, and waits until every task has its outcome, `limitMs` at most. */
  async settled(limitMs: number): Promise<void> {
    this.#running = false
    await Promise.race([this.#callers, sleep(limitMs)])
  }

  /** Lets go of everything at once: what is under way is never told. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#running = false
    await Promise.all([this.#client.close({ drainMs: 0 }), this.#worker[Symbol.asyncDispose]()])
    await this.#callers
  }

  async #one(): Promise<void> {
    const { random, fillerMax } = this.#settings
    const id = this.#newId()
    const key = `${this.keys.size}`
    this.keys.set(id, key)
    try {
      const body = witnessed(key, wholeBetween(random, 0, fillerMax))
      const handle = await this.#client.submit(witnessQueue, body, { ...options, id })
      const task: ToldTask = { id }
      this.accepted.push(task)
      task.outcome = await outcomeOf(handle as TaskHandle<{ execution: string }>)
    } catch (error) {
      if ((error as Error).name !== 'ClosedError') this.refused.push(`task ${id}: ${(error as Error).message}`)
    }
  }
}

async function outcomeOf(handle: TaskHandle<{ execution: string }>): Promise<string> {
  try {
    return (await handle.result()).execution
  } catch (error) {
    if (!(error instanceof TaskDeadError)) throw error
    return deadOutcome(error.reason, error.attempts, error.error?.message)
  }
}
