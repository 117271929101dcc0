import { Worker } from 'node:worker_threads'
import type { Violation } from '../observation.ts'
import type { Runs } from '../phenomena/phenomenon.ts'
import type { Examination, Explanation } from './examine.ts'
import type { Experiment } from './shrink.ts'
import type { Answer, Order, ThreadData, Word } from './thread-messages.ts'

/** An experiment that takes longer than this by the wall clock hangs. It was sized for a tenth of a second. */
const EXPERIMENT_MS_MAX = 60_000
/** The memory of a thread. A world that grows without bound is stopped before the machine's memory is used up. */
const HEAP_MB_MAX = 1024

interface Job {
  order: Order
  msMax: number
  resolve: (answer: Answer) => void
  /** The thread ended instead of answering. It is an error if the thread could not even load what it should run. */
  reject: (reason: Omit<Violation, 'atMs'> | Error) => void
}

/**
 * Runs experiments on threads, one at a time on each. A thread that hangs or dies is replaced, and the report of its
 * experiment says so.
 */
export class Pool {
  readonly #data: ThreadData
  readonly #jobs: Job[] = []
  readonly #idle: Worker[] = []
  readonly #threads = new Set<Worker>()
  /** Threads that have loaded what they run. */
  readonly #loaded = new WeakSet<Worker>()
  readonly #size: number
  readonly #msMax: number

  constructor(size: number, data: ThreadData = {}, msMax: number = EXPERIMENT_MS_MAX) {
    this.#size = size
    this.#data = data
    this.#msMax = msMax
  }

  /** The report of a run. For a run that hung or crashed, a report with that as its violation. */
  async examine(
    seed: number,
    { scenario, untilViolated = false }: { scenario?: Experiment['scenario']; untilViolated?: boolean } = {},
  ): Promise<Examination> {
    try {
      const answer = await this.#ask({ kind: 'examine', seed, scenario, untilViolated }, this.#msMax)
      if (answer.kind !== 'examined') throw new Error('a thread gave the answer to another question')
      return answer.examination
    } catch (error) {
      if (error instanceof Error) throw error
      return failed(seed, { ...(error as Omit<Violation, 'atMs'>), atMs: 0 })
    }
  }

  /** The smallest story of a violation that is found in about `budgetMs`; undefined if there was none. */
  async explain(
    seed: number,
    scenario: Experiment['scenario'] | undefined,
    rule: string,
    budgetMs: number,
  ): Promise<Explanation | undefined> {
    try {
      const answer = await this.#ask({ kind: 'explain', seed, scenario, rule, budgetMs }, budgetMs + this.#msMax)
      return answer.kind === 'explained' ? answer.explanation : undefined
    } catch (error) {
      if (error instanceof Error) throw error
      return undefined
    }
  }

  /** The figures of one seed of a phenomenon. Fails if its worlds hang or crash. */
  async measure(phenomenon: string, seed: number): Promise<Runs> {
    try {
      const answer = await this.#ask({ kind: 'measure', phenomenon, seed }, this.#msMax)
      if (answer.kind !== 'measured') throw new Error('a thread gave the answer to another question')
      return answer.runs
    } catch (error) {
      if (error instanceof Error) throw error
      throw new Error(`${phenomenon}, seed ${seed}: ${(error as Violation).message}`)
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#threads].map((thread) => thread.terminate()))
  }

  #ask(order: Order, msMax: number): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#jobs.push({ order, msMax, resolve, reject })
      this.#next()
    })
  }

  #next(): void {
    const thread = this.#idle.pop() ?? (this.#threads.size < this.#size ? this.#start() : undefined)
    if (thread === undefined) return
    const job = this.#jobs.shift()
    if (job === undefined) this.#idle.push(thread)
    else this.#give(thread, job)
  }

  #start(): Worker {
    const thread = new Worker(new URL('./thread.ts', import.meta.url), {
      workerData: this.#data,
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB_MAX },
    })
    this.#threads.add(thread)
    return thread
  }

  #give(thread: Worker, job: Job): void {
    const end = (isUsable: boolean): void => {
      clearTimeout(timer)
      thread.off('message', answered).off('error', crashed).off('exit', ended)
      if (isUsable) this.#idle.push(thread)
      else {
        // Later messages of this thread are of no use.
        thread.on('error', () => {})
        this.#threads.delete(thread)
        void thread.terminate()
      }
    }
    const fail = (rule: string, message: string): void => {
      end(false)
      job.reject({ rule, message, about: {} })
      this.#next()
    }
    const timer = setTimeout(
      () => fail('HANG', `no end after ${Math.round(job.msMax / 1000)} s by the wall clock`),
      job.msMax,
    )
    const answered = (word: Word): void => {
      if (word.kind === 'loaded') {
        this.#loaded.add(thread)
        return
      }
      end(true)
      job.resolve(word)
      this.#next()
    }
    const crashed = (error: Error): void => {
      // A thread that cannot load anything has run nothing, so this is no finding.
      if (this.#loaded.has(thread)) fail('CRASH', error.stack ?? String(error))
      else {
        end(false)
        job.reject(error)
        this.#next()
      }
    }
    const ended = (code: number): void => fail('CRASH', `the thread ended with ${code}`)
    thread.on('message', answered).on('error', crashed).on('exit', ended)
    thread.postMessage(job.order)
  }
}

/** The report of a run that has none of its own. */
function failed(seed: number, violation: Violation): Examination {
  return {
    report: {
      seed,
      scenario: `seed ${seed}`,
      violations: [violation],
      hash: '',
      faults: [],
      simulatedMs: 0,
      observations: 0,
      counts: {},
      tasks: { submitted: 0, accepted: 0, succeeded: 0, dead: 0, cancelled: 0 },
    },
    situations: {},
    events: 0,
  }
}
