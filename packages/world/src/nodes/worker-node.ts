import {
  createWorker,
  type Handler,
  PermanentError,
  RetryableError,
  type TaskContext,
  type Worker,
} from '@sluice/client'
import { type Context, grained } from '../context.ts'
import { draw } from '../distribution.ts'
import { Liar } from '../network/liar.ts'
import type { Network, Tampering } from '../network/network.ts'
import { TextSpeaker } from '../network/text-speaker.ts'
import type { Thrown } from '../observation.ts'
import type { RandomStream } from '../random.ts'
import type { Service, WorkerGroup } from '../scenario.ts'
import { BROKER_URL, clientPlatform } from './client-platform.ts'
import { Node } from './node.ts'
import type { Process } from './process.ts'
import { BYTES_MARK, digestOfText, padded, wishOf } from './task-text.ts'

const RESULT_BYTES = 10
/** Of a result as JSON. */
const QUOTES_BYTES = 2
/** From the moment a handler crashes its process to the start of the next one. */
const RESTART_MS = 1000

const encoder = new TextEncoder()

type HandlerEnd = { how: 'returned'; result: string } | { how: 'threw'; thrown: Thrown }

/** How often handlers have run, over all workers of a world. */
export interface RunCounts {
  /** Runs of all tasks. */
  runs: number
  /** By wish. What happens to a handler depends only on this and the wish, not on when and where it runs. */
  readonly byWish: Map<string, number>
}

/** A machine with a worker's program. */
export class WorkerNode extends Node {
  readonly group: WorkerGroup
  readonly #counts: RunCounts
  /** Falsifies its messages, if its group's are. */
  isHonest = false
  #worker: Worker | undefined
  #leaving: Worker | undefined
  #running = 0

  constructor(context: Context, network: Network, name: string, group: WorkerGroup, counts: RunCounts) {
    super(context, network, name)
    this.group = group
    this.#counts = counts
  }

  get isLiar(): boolean {
    return !this.isHonest && (this.group.falsehoods?.length ?? 0) > 0
  }

  /** Handlers that have not returned. */
  get running(): number {
    return this.#running
  }

  /** How many handlers it runs at once has changed. */
  resize(): void {
    const { concurrency, prefetch } = this.group
    const worker = this.#worker
    this.process?.enter(() => worker?.resize({ concurrency, ...(prefetch === undefined ? {} : { prefetch }) }))
  }

  protected run(process: Process): void {
    const { concurrency, prefetch, queues } = this.group
    const worker = createWorker({
      url: BROKER_URL,
      name: this.name,
      platform: clientPlatform(this.context, this.network, process, {
        tampering: this.#tampering(process),
      }),
      handlers: Object.fromEntries(queues.map((queue) => [queue, this.#handler(process, queue)])),
      concurrency,
      ...(prefetch === undefined ? {} : { prefetch }),
    })
    this.#worker = worker
    let reason = 'the worker stopped'
    worker.start().catch((error: Error) => {
      reason = error.message
    })
    worker.closed.then(() => {
      if (worker !== this.#leaving) this.fail(process, reason)
    })
  }

  protected leave(): Promise<void> {
    const { drainGraceMs } = this.group
    this.#leaving = this.#worker as Worker
    if (drainGraceMs === 0) return this.#leaving.close()
    return this.#leaving.drain(drainGraceMs === undefined ? {} : { graceMs: drainGraceMs })
  }

  protected override ended(): void {
    this.#running = 0
    this.#worker = undefined
  }

  #tampering(process: Process): Tampering | undefined {
    const { falsehoods = [], speaksText = false } = this.group
    const { limits } = this.network
    if (this.isLiar) {
      const chance = this.context.random.stream(`${this.name} falsehoods`)
      return new Liar(falsehoods, chance, process, { limits, kind: speaksText ? 'text' : 'binary' })
    }
    return speaksText ? new TextSpeaker(limits) : undefined
  }

  #handler(process: Process, queue: string): Handler {
    if (!this.#serviceOf(queue)) throw new Error(`the workers of ${this.name} have no service for ${queue}`)
    // A change of the service may come while the worker runs.
    return (input, task) => this.#serve(process, queue, this.#serviceOf(queue) as Service, input as string, task)
  }

  #serviceOf(queue: string): Service | undefined {
    const { service } = this.group
    return service[queue] ?? service['*']
  }

  #serve(
    process: Process,
    queue: string,
    service: Service,
    body: string,
    task: TaskContext,
  ): Promise<string | Uint8Array> {
    const { id, attempt, signal } = task
    const node = this.name
    const wish = wishOf(body)
    this.#counts.runs += 1
    const run = this.#counts.runs
    const times = (this.#counts.byWish.get(wish) ?? 0) + 1
    this.#counts.byWish.set(wish, times)
    const chance = this.context.random.once(`service ${wish} ${times}`)
    this.#running += 1
    process.observe({ type: 'handlerStarted', node, id, queue, attempt, body, run })
    const fate = fateOf(service, chance)
    const ms = grained(draw(service.ms, chance) / (this.group.speed ?? 1))
    const habits = this.context.random.once(`habits ${wish} ${times}`)
    const isBytes = habits.chance(service.returnsBytes ?? 0)
    const deafMs = service.deafMs === undefined ? 0 : grained(draw(service.deafMs, habits))
    return new Promise((resolve, reject) => {
      let stopReporting = (): void => {}
      let cancelWork = (): void => {}
      const end = (observed: HandlerEnd, settle: () => void): void => {
        stopReporting()
        signal.removeEventListener('abort', abort)
        this.#running -= 1
        process.observe({ type: 'handlerEnded', node, id, run, ...observed })
        settle()
      }
      const throws = (error: Error): void => {
        withoutStack(error)
        end({ how: 'threw', thrown: thrownOf(error) }, () => reject(error))
      }
      const abort = (): void => {
        process.observe({ type: 'handlerAborted', node, id, run, reason: reasonOf(signal.reason) })
        // The worker may report it at once, whatever this handler does.
        withoutStack(signal.reason as Error)
        // A handler that ignores its signal goes on reporting.
        cancelWork()
        if (deafMs > 0) process.setTimer(() => throws(signal.reason as Error), deafMs)
        else throws(signal.reason as Error)
      }
      signal.addEventListener('abort', abort)
      if (service.progressEveryMs !== undefined)
        stopReporting = this.#report(process, service.progressEveryMs, run, task)
      if (fate === 'hangs') return
      cancelWork = process.setTimer(() => {
        if (fate === 'crashes') {
          this.crash(RESTART_MS)
        } else if (fate === 'fails') {
          const { retryAfterMs } = service
          const options = retryAfterMs === undefined ? {} : { retryAfterMs }
          throws(new RetryableError(`run ${run} failed`, options))
        } else if (fate === 'failsForGood') {
          throws(new PermanentError(`run ${run} failed for good`))
        } else {
          const wanted = service.resultBytes ? draw(service.resultBytes, chance) : RESULT_BYTES
          // The client turns a larger one into an error of its own, whose stack names files of this machine.
          const bytes = Math.min(wanted, this.network.limits.bodyBytesMax - QUOTES_BYTES)
          const result = padded(`${isBytes ? BYTES_MARK : ''}${id} run ${run} ${digestOfText(body)} `, bytes, chance)
          end({ how: 'returned', result }, () => resolve(isBytes ? encoder.encode(JSON.stringify(result)) : result))
        }
      }, ms)
    })
  }

  /** Reports at once and then regularly. Returns a function that ends it. */
  #report(process: Process, everyMs: number, run: number, task: TaskContext): () => void {
    let cancel = (): void => {}
    let step = 0
    const report = (): void => {
      step += 1
      task.progress({ run, step })
      cancel = process.setTimer(report, everyMs)
    }
    report()
    return () => cancel()
  }
}

type Fate = 'succeeds' | 'fails' | 'failsForGood' | 'hangs' | 'crashes'

function fateOf(service: Service, chance: RandomStream): Fate {
  let left = chance.next()
  for (const fate of ['fails', 'failsForGood', 'hangs', 'crashes'] as const) {
    const share = service[fate] ?? 0
    if (left < share) return fate
    left -= share
  }
  return 'succeeds'
}

/** Stacks travel with failures and name the files of this machine. A run must be the same on any machine. */
function withoutStack(error: Error): void {
  delete (error as { stack?: string }).stack
}

function thrownOf(error: Error): Thrown {
  const { name, message, retryable, retryAfterMs } = error as Error & Partial<Thrown>
  return {
    name,
    message,
    ...(retryable === undefined ? {} : { retryable }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  }
}

function reasonOf(reason: unknown): string {
  return reason instanceof Error ? `${reason.name}: ${reason.message}` : String(reason)
}
