import { freeCredit, isFinished, type Queue, resultOf, type State, type Task } from '@sluice/engine'
import { Bodies, type Body, type Submit, type SubmitOptions, type TaskStatus, type WireError } from '@sluice/protocol'
import { bodyRun } from './body-store.ts'
import type { BrokerApi, DeadLetter, Health, QueueStats, TaskDetails, WorkerStats } from './broker-api.ts'
import type { Host } from './host.ts'
import type { OutcomeReader } from './outcome-feed.ts'
import { deadIds, type Purged, purgeDead, purgeQueue } from './purge.ts'
import { submitCommand } from './submit-command.ts'
import { type TaskListQuery, taskPage } from './task-list.ts'
import { statusOf } from './task-status.ts'
import { wireError } from './wire-error.ts'

/** Dead letters made ready in one turn. */
const REDRIVE_BATCH = 1000

/** The host as the HTTP API and the command line see it. */
export class HostApi implements BrokerApi {
  readonly #host: Host
  readonly #version: string

  constructor(host: Host, version: string) {
    this.#host = host
    this.#version = version
  }

  async submit(
    queue: string,
    options: SubmitOptions | undefined,
    tasks: readonly (Body & { id: string })[],
  ): Promise<(WireError | undefined)[]> {
    // A stopped host writes nothing any more, and so makes no room.
    while (this.#host.isSaturated && this.#host.status === 'ready') await this.#host.durable()
    const unavailable = this.#unavailable()
    if (unavailable) return tasks.map(() => unavailable)
    const refused: ReturnType<Host['apply']> = []
    // One command has one content type.
    for (let index = 0; index < tasks.length; ) {
      const { contentType } = tasks[index] as Body
      let end = tasks.findIndex((task, i) => i > index && task.contentType !== contentType)
      if (end === -1) end = tasks.length
      const some = tasks.slice(index, end)
      const bodies = Bodies.ofPieces(
        some.map(({ bytes }) => bytes),
        some.map(({ bytes }) => bytes.length),
      )
      const submit: Submit = { type: 'submit', ref: 0, queue, watch: false, ids: some.map(({ id }) => id), bodies }
      if (options !== undefined) submit.options = options
      if (contentType !== undefined) submit.contentType = contentType
      refused.push(...this.#host.apply(submitCommand(submit, undefined, index), bodies.bytes))
      index = end
    }
    await this.#durable()
    return verdicts(tasks.length, refused)
  }

  async task(id: string): Promise<TaskDetails | undefined> {
    const task = this.#host.state.tasks.get(id)
    if (!task) return undefined
    const details: TaskDetails = { ...statusOf(this.#host, id), history: [...task.past.history] }
    const { phase } = task
    // What is in memory may be ahead of the journal: it would be contradicted after a crash, and a result is not there to be read.
    await this.#durable()
    if (phase.state === 'succeeded') {
      const result = resultOf(task)
      const run = bodyRun(result, task.resultBytes)
      try {
        await this.#host.bodies.fill([run])
      } catch (error) {
        // While it was read it may have been forgotten, or carried forward, and its batch discarded.
        if (this.#host.state.tasks.get(id) !== task || resultOf(task) !== result) return this.task(id)
        throw error
      }
      details.result =
        phase.contentType === undefined ? { bytes: run.bytes } : { bytes: run.bytes, contentType: phase.contentType }
    }
    return details
  }

  waitForOutcome(id: string, waitMs: number, signal?: AbortSignal): Promise<void> {
    const host = this.#host
    const task = host.state.tasks.get(id)
    if (!task || isFinished(task) || signal?.aborted || host.status !== 'ready') return Promise.resolve()
    if (host.listening >= host.config.waitersMax) {
      return Promise.reject(
        Object.assign(new Error('too many requests wait for an outcome: poll instead'), { code: 'busy' }),
      )
    }
    return new Promise((resolve) => {
      const done = (): void => {
        cancelTimer()
        forget()
        signal?.removeEventListener('abort', done)
        resolve()
      }
      const forget = host.onOutcome(id, done)
      const cancelTimer = host.platform.setTimer(done, waitMs)
      signal?.addEventListener('abort', done, { once: true })
    })
  }

  async cancel(ids: readonly string[]): Promise<(WireError | undefined)[]> {
    const unavailable = this.#unavailable()
    if (unavailable) return ids.map(() => unavailable)
    const refused = this.#host.apply({ type: 'cancel', session: undefined, ref: 0, ids })
    await this.#durable()
    return verdicts(ids.length, refused)
  }

  queues(): QueueStats[] {
    const { state, nowMs } = this.#host
    const takers = takersOf(state)
    return [...state.queues.values()].map((queue) => {
      const { workers, freeCredit } = takers.get(queue) ?? NO_TAKERS
      return {
        name: queue.name,
        ready: queue.ready.size,
        delayed: queue.delayed,
        leased: queue.leased.size,
        succeeded: queue.succeeded,
        dead: queue.dead.size,
        cancelled: queue.finished.size - queue.succeeded,
        bytes: queue.bytes,
        tasksMax: state.config.queueTasksMax,
        bytesMax: state.config.queueBytesMax,
        workers,
        freeCredit,
        drainPerSecond: Math.round(queue.drain.perSecond(nowMs) * 10) / 10,
        oldestReadyAgeMs: Math.round(nowMs - (queue.ready.oldestAcceptedAtMs() ?? nowMs)),
      }
    })
  }

  workers(): WorkerStats[] {
    return [...this.#host.state.sessions.values()]
      .filter((session) => session.roles.includes('worker'))
      .map((session) => ({
        id: `worker-${session.order}`,
        name: this.#host.connections.of(session.id)?.name ?? '',
        connected: session.phase === 'connected',
        credit: session.credit,
        leased: session.leases.size,
        queues: session.subscriptions.map(({ queue }) => queue.name),
      }))
  }

  dead({ queue: name, limit, after }: { queue?: string; limit: number; after?: string }): {
    tasks: DeadLetter[]
    next?: string
  } {
    const { state, nowMs } = this.#host
    const start = after === undefined ? undefined : state.tasks.get(after)
    // Of one queue the letters go from the front, so that what is at the front now came behind a letter that has gone.
    if (after !== undefined && !start && name === undefined) {
      const message = `no task ${after} is held any more: list from the beginning, or queue by queue`
      throw Object.assign(new Error(message), { code: 'unknown_task' })
    }
    const queues = [...state.queues.values()].filter((queue) => name === undefined || queue.name === name)
    // A page begins behind `after` in its queue, and goes on with the queues behind that one.
    const from = start ? Math.max(0, queues.indexOf(start.queue)) : 0
    const tasks: DeadLetter[] = []
    for (const queue of queues.slice(from)) {
      let task: Task | null = start?.queue === queue && start.phase.state === 'dead' ? start.next : queue.dead.head
      for (; task; task = task.next) {
        if (tasks.length === limit) return { tasks, next: (tasks.at(-1) as DeadLetter).id }
        tasks.push(deadLetter(task, nowMs))
      }
    }
    return { tasks }
  }

  async redrive(target: { ids: readonly string[] } | { queue: string }): Promise<number> {
    this.#assertAvailable()
    const ids = 'ids' in target ? target.ids : deadIds(this.#host, target.queue)
    let redriven = 0
    for (let i = 0; i < ids.length; i += REDRIVE_BATCH) {
      const some = [...new Set(ids.slice(i, i + REDRIVE_BATCH))]
      redriven += some.length - this.#host.apply({ type: 'redrive', ids: some }).length
      await this.#durable()
    }
    return redriven
  }

  tasks(query: TaskListQuery): { tasks: TaskStatus[]; next?: string } {
    return taskPage(this.#host, query)
  }

  async purge(queue: string): Promise<Purged> {
    this.#assertAvailable()
    return purgeQueue(this.#host, queue, () => this.#durable())
  }

  async purgeDead(target: { ids: readonly string[] } | { queue: string }): Promise<Purged> {
    this.#assertAvailable()
    // That a record has gone is written lazily otherwise.
    return purgeDead(this.#host, target, () => this.#durable(this.#host.flushed()))
  }

  follow(reader: OutcomeReader): () => void {
    this.#assertAvailable()
    const { outcomes, listening, config } = this.#host
    if (listening >= config.waitersMax)
      throw Object.assign(new Error('too many requests wait for outcomes: try again later'), { code: 'busy' })
    return outcomes.add(reader)
  }

  health(): Health {
    const { status, journal, state, connections, failure } = this.#host
    return {
      status,
      durability: journal.durability,
      version: this.#version,
      tasks: state.tasks.size,
      connections: connections.sessions,
      journal: journal.stats(),
      ...(failure ? { reason: failure.message } : {}),
    }
  }

  async #durable(written = this.#host.durable()): Promise<void> {
    if (!(await written)) this.#assertAvailable()
  }

  #assertAvailable(): void {
    const unavailable = this.#unavailable()
    if (unavailable) throw Object.assign(new Error(unavailable.message), unavailable)
  }

  #unavailable(): WireError | undefined {
    const { status, config, failure } = this.#host
    if (status === 'ready') return undefined
    if (status === 'read_only') {
      return {
        code: 'read_only',
        message: `the broker failed and has to be restarted: ${failure?.message}`,
        retryAfterMs: this.#host.state.config.retryAfterMsMax,
      }
    }
    return {
      code: 'draining',
      message: 'the broker is leaving or not ready yet: try again',
      retryAfterMs: config.drainRetryAfterMs,
    }
  }
}

interface Takers {
  workers: number
  freeCredit: number
}
const NO_TAKERS: Readonly<Takers> = { workers: 0, freeCredit: 0 }

/** Of each queue that someone connected takes from. */
function takersOf(state: State): Map<Queue, Takers> {
  const takers = new Map<Queue, Takers>()
  for (const session of state.sessions.values()) {
    if (session.phase !== 'connected') continue
    const free = Math.max(0, freeCredit(session))
    for (const { queue } of session.subscriptions) {
      const known = takers.get(queue) ?? NO_TAKERS
      takers.set(queue, { workers: known.workers + 1, freeCredit: known.freeCredit + free })
    }
  }
  return takers
}

function verdicts(count: number, refused: ReturnType<Host['apply']>): (WireError | undefined)[] {
  const errors = new Array<WireError | undefined>(count).fill(undefined)
  for (const event of refused) if (event.index !== undefined) errors[event.index] = wireError(event)
  return errors
}

function deadLetter(task: Task, nowMs: number): DeadLetter {
  const { phase } = task
  if (phase.state !== 'dead') throw new Error('invariant broken: a list of dead letters holds another task')
  return {
    id: task.id,
    queue: task.queue.name,
    reason: phase.reason,
    ...(phase.error ? { error: phase.error } : {}),
    attempts: task.attempts,
    history: [...task.past.history],
    ageMs: Math.round(nowMs - task.acceptance.atMs),
  }
}
