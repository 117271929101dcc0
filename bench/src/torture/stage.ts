import { writeFileSync } from 'node:fs'
import { type Client, createClient, type SubmitCallOptions, TaskDeadError, type TaskHandle } from '@sluice/client'
import { type BrokerProcess, startBroker } from '../broker.ts'
import { Processes } from '../child.ts'
import { machineMs } from '../clock.ts'
import { Scratch } from '../machine.ts'
import type { BrokerSettings } from '../processes/broker.ts'
import { sleep, until } from '../wait.ts'
import { Heard } from './heard.ts'
import type { LoadedWorker } from './loaded-worker.ts'
import { deadOutcome } from './outcome.ts'
import type { ToldTask } from './producer.ts'
import { outcomesIn, type TaskView, taskViews } from './recorded.ts'
import { type Start, StartLog } from './start-log.ts'
import { changedOutcomes } from './verdict.ts'
import type { TortureInput, TortureWorkerSettings } from './worker.ts'

const workerProcess = new URL('./worker.ts', import.meta.url)
const queue = 'torture'
/** A task without an outcome for this long is lost. */
const lostAfterMs = 60_000
const backoffMsMax = 200

export interface StageSettings {
  heartbeatMs: number
  graceMs: number
  /** Environment of the broker's process. */
  env?: Readonly<Record<string, string>>
}

/** One task, as its submitter knows it. */
export interface StagedTask extends ToldTask {
  /** On the clock of the machine, as the other one. */
  submittedMs: number
  acceptedMs: number
  /** Resolves once the outcome is told. */
  settled: Promise<void>
}

/** What became of all tasks, once each had its outcome. */
export interface StageVerdict {
  tasks: readonly StagedTask[]
  views: ReadonlyMap<string, TaskView>
  /** When the handler of each task was called. */
  starts: ReadonlyMap<string, number[]>
  /** What no fault explains, by the name of its figure. */
  broken: Record<string, string[]>
}

/** For one round: a broker (strict) in a process of its own, workers in others, and a producer in this one. */
export class Stage implements AsyncDisposable {
  readonly scratch: Scratch
  /** What the producer was told. */
  readonly heard = new Heard()
  readonly tasks: StagedTask[] = []
  broker!: BrokerProcess
  readonly #processes = new Processes()
  readonly #journal: BrokerSettings
  readonly #env: Readonly<Record<string, string>>
  readonly #starts = new Map<StartLog, Start[]>()
  readonly #refused: string[] = []
  #client!: Client

  private constructor(scratch: Scratch, { heartbeatMs, graceMs, env = {} }: StageSettings) {
    this.scratch = scratch
    this.#env = env
    this.#journal = {
      durability: 'strict',
      path: scratch.file('journal.db'),
      engine: { graceMs },
      hosting: { heartbeatMs },
    }
  }

  /** The directory goes with the stage. */
  static async open(settings: StageSettings, scratch = new Scratch()): Promise<Stage> {
    const stage = new Stage(scratch, settings)
    try {
      stage.broker = await startBroker(stage.#processes, stage.#journal, [], { env: stage.#env })
    } catch (error) {
      scratch[Symbol.dispose]()
      throw error
    }
    const { url } = stage.broker
    stage.#client = createClient({ url, platform: stage.heard.platform, timings: { backoffMsMax } })
    return stage
  }

  /** A worker that takes from the queue that is submitted to, or from another one. */
  async startWorker(concurrency: number, from = queue): Promise<LoadedWorker> {
    const log = new StartLog(this.scratch.file(`worker-${this.#starts.size}.log`))
    writeFileSync(log.path, '')
    this.#starts.set(log, [])
    const { url } = this.broker
    const settings: TortureWorkerSettings = { url, queue: from, concurrency, log: log.path, backoffMsMax }
    // It may be meant to crash.
    return { child: await this.#processes.start(workerProcess, settings, [], { isSilent: true }), log }
  }

  /** Resolves when the task is accepted. Its outcome is awaited beside that. */
  async submit(input: TortureInput, options: SubmitCallOptions): Promise<StagedTask> {
    const submittedMs = machineMs()
    const handle = (await this.#client.submit(queue, input, options)) as TaskHandle<{ execution: string }>
    const task: StagedTask = { id: handle.id, submittedMs, acceptedMs: machineMs(), settled: Promise.resolve() }
    task.settled = this.#follow(task, handle)
    this.tasks.push(task)
    return task
  }

  /**
   * Keeps so many tasks under way, each followed by another once it has its outcome, until the returned function is called:
   * that one resolves when the last of them have theirs, or long after.
   */
  produce(inFlight: number, submitOne: () => Promise<StagedTask>): () => Promise<void> {
    let isOver = false
    const producing = Promise.all(
      Array.from({ length: inFlight }, async () => {
        while (!isOver) await (await submitOne()).settled
      }),
    )
    // A round that breaks off does not wait for it.
    producing.catch(() => {})
    return async () => {
      isOver = true
      await Promise.race([producing, sleep(lostAfterMs)])
    }
  }

  /** Resolves once each task that was submitted has its outcome, or long after. */
  async settled(): Promise<void> {
    await Promise.race([this.#allSettled(), sleep(lostAfterMs)])
  }

  /** The starts of handlers so far, in all workers. */
  starts(): Start[] {
    return [...this.#starts.keys()].flatMap((log) => this.startsIn(log))
  }

  /** Those in one of them. */
  startsIn(log: StartLog): readonly Start[] {
    const starts = this.#starts.get(log)!
    starts.push(...log.next())
    return starts
  }

  /** Kills the broker; `startAgain` starts it anew, on the same port. */
  async killBroker(): Promise<void> {
    await this.broker.child.kill()
  }

  async startAgain(): Promise<void> {
    const port = Number(new URL(this.broker.url).port)
    this.broker = await startBroker(this.#processes, { ...this.#journal, port }, [], { env: this.#env })
    const ready = async () => (await fetch(`${this.broker.httpUrl}/readyz`)).status === 200
    await until('the broker is ready again', ready, 60_000, 5)
  }

  async judge(): Promise<StageVerdict> {
    await this.settled()
    const { tasks } = this
    const views = await taskViews(
      this.broker.httpUrl,
      tasks.map(({ id }) => id),
    )
    const starts = new Map<string, number[]>(tasks.map(({ id }) => [id, []]))
    for (const { id, atMs } of this.starts()) starts.get(id)?.push(atMs)
    return {
      tasks,
      views,
      starts,
      broken: {
        'accepted tasks lost': tasks.filter(({ outcome }) => outcome === undefined).map(({ id }) => id),
        'outcomes recorded twice': changedOutcomes(tasks, outcomesIn(views)),
        'tasks that could not be followed': this.#refused,
      },
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.close({ drainMs: 0 })
    await this.#processes[Symbol.asyncDispose]()
    await this.#allSettled()
    this.scratch[Symbol.dispose]()
  }

  async #allSettled(): Promise<void> {
    await Promise.all(this.tasks.map(({ settled }) => settled))
  }

  async #follow(task: StagedTask, handle: TaskHandle<{ execution: string }>): Promise<void> {
    try {
      task.outcome = (await handle.result()).execution
    } catch (error) {
      if (error instanceof TaskDeadError) task.outcome = deadOutcome(error.reason, error.attempts, error.error?.message)
      else if ((error as Error).name !== 'ClosedError') this.#refused.push(`${task.id}: ${(error as Error).message}`)
    }
    task.toldMs = machineMs()
  }
}
