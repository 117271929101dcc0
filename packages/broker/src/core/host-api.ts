import {
  freeCredit,
  isFinished,
  type Queue,
  resultOf,
  type Session,
  type State,
  type Subscription,
  type Task,
  unknownTask,
} from '@sluice/engine'
import { Bodies, type Body, type Submit, type SubmitOptions, type TaskStatus, type WireError } from '@sluice/protocol'
import { AccessError, type Principal } from './access/access-control.ts'
import { authorize, authorizeTask, notPermitted } from './access/authorize.ts'
import { assertNotRevoked } from './access/revocation.ts'
import type { QueueAction } from './access/scopes.ts'
import { visibleTasks } from './access/visible-tasks.ts'
import { bodyRun } from './body-store.ts'
import type { BrokerApi, DeadLetter, Health, QueueStats, Redriven, TaskDetails, WorkerStats } from './broker-api.ts'
import type { Host } from './host.ts'
import type { OutcomeReader } from './outcome-feed.ts'
import { deadIds, dropQueue, type Purged, purgeDead, purgeQueue } from './purge.ts'
import { submitCommand } from './submit-command.ts'
import { type TaskListQuery, taskPage } from './task-list.ts'
import { statusOfTask } from './task-status.ts'
import { wireError } from './wire-error.ts'

/** Dead letters redriven in one turn. */
const REDRIVE_BATCH = 1000

/** The host for the HTTP API and the command line, restricted to what one principal may see and do. */
export class HostApi implements BrokerApi {
  readonly #host: Host
  readonly #version: string
  /** Undefined if everybody may do everything. */
  readonly #principal: Principal | undefined

  constructor(host: Host, version: string, principal?: Principal) {
    this.#host = host
    this.#version = version
    this.#principal = principal
  }

  as(principal: Principal): BrokerApi {
    return new HostApi(this.#host, this.#version, principal)
  }

  refusalOf(principal: Principal): WireError | undefined {
    try {
      assertNotRevoked(this.#host.state, principal)
      return undefined
    } catch (thrown) {
      if (!(thrown instanceof AccessError)) throw thrown
      return { code: thrown.code, message: thrown.message }
    }
  }

  async revoke(target: { principal: string } | { session: string }): Promise<number> {
    this.#assert('admin')
    const unavailable = this.#unavailable()
    if (unavailable) throw Object.assign(new Error(unavailable.message), unavailable)
    const host = this.#host
    const sessions = [...host.state.sessions.values()].filter((session) =>
      'principal' in target ? session.owner === target.principal : publicIdOf(session) === target.session,
    )
    if ('principal' in target) {
      const [refused] = host.apply({ type: 'revokePrincipal', principal: target.principal })
      if (refused) throw Object.assign(new Error(refused.message), wireError(refused))
    } else if (sessions.length === 0) {
      throw Object.assign(new Error(`there is no session ${target.session}: GET /v1/workers lists them`), {
        code: 'unknown_task',
      })
    }
    const message = 'The access of this session has been revoked.'
    let closed = 0
    for (const { id } of sessions) {
      const connection = host.connections.of(id)
      if (connection) closed += 1
      connection?.refuse('unauthorized', message, 4001)
      host.apply({ type: 'closeSession', session: id })
    }
    await this.#durable()
    return closed
  }

  async submit(
    queue: string,
    options: SubmitOptions | undefined,
    tasks: readonly (Body & { id: string })[],
  ): Promise<(WireError | undefined)[]> {
    this.#assert('submit', queue)
    // A stopped host writes nothing any more, so it never makes room.
    while (this.#host.isSaturated && this.#host.status === 'ready') await this.#host.durable()
    const unavailable = this.#unavailable()
    if (unavailable) return tasks.map(() => unavailable)
    const principal = this.#principal
    const size = tasks.reduce((sum, { bytes }) => sum + bytes.length, 0)
    const tooMuch = principal && this.#host.quotas?.submit(principal, tasks.length, size)
    if (tooMuch) return tasks.map(() => tooMuch)
    const refused: ReturnType<Host['apply']> = []
    // A command has one content type, so consecutive tasks of the same type share one.
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
      const { defaults } = this.#host.state.config
      const command = submitCommand(submit, undefined, index, defaults, principal?.id)
      refused.push(...this.#host.apply(command, bodies.bytes))
      index = end
    }
    await this.#durable()
    return verdicts(tasks.length, refused)
  }

  async task(id: string): Promise<TaskDetails | undefined> {
    const task = this.#visible(id)
    if (!task) return undefined
    const result = resultOf(task)
    try {
      return await this.#details(task)
    } catch (error) {
      // During the read the task may have been forgotten, or carried forward and its batch discarded.
      if (this.#host.state.tasks.get(id) !== task || resultOf(task) !== result) return this.task(id)
      throw error
    }
  }

  /** The details of a task as it is now, returned once that state is durable. */
  async #details(task: Task): Promise<TaskDetails> {
    const { bodies, nowMs } = this.#host
    const details: TaskDetails = { ...statusOfTask(task, nowMs), history: [...task.past.history] }
    const { phase } = task
    const run = bodyRun(resultOf(task), task.resultBytes)
    // Memory may be ahead of the journal. A crash would contradict it, and the result could not be read yet.
    await this.#durable()
    if (phase.state !== 'succeeded') return details
    await bodies.fill([run])
    details.result =
      phase.contentType === undefined ? { bytes: run.bytes } : { bytes: run.bytes, contentType: phase.contentType }
    return details
  }

  async waitForOutcome(...[id, waitMs, signal]: Parameters<BrokerApi['waitForOutcome']>) {
    const host = this.#host
    const tell = () => this.task(id)
    const task = this.#visible(id)
    if (!task || isFinished(task) || signal?.aborted || host.status !== 'ready') return tell
    if (host.listening >= host.config.waitersMax)
      throw Object.assign(new Error('too many requests wait for an outcome: poll instead'), { code: 'busy' })
    const wait = this.#principal && host.quotas?.wait(this.#principal)
    if (wait && 'code' in wait) throw Object.assign(new Error(wait.message), wait)
    return new Promise<() => Promise<TaskDetails | undefined>>((resolve) => {
      const done = (ended?: Task): void => {
        wait?.()
        cancelTimer()
        forget()
        signal?.removeEventListener('abort', stop)
        if (ended === undefined) resolve(tell)
        else {
          // Begin now: the record and its batch may be gone when the caller asks for it.
          const told = this.#details(ended)
          told.catch(() => {})
          resolve(() => told)
        }
      }
      const stop = () => done()
      const forget = host.onOutcome(id, done)
      const cancelTimer = host.platform.setTimer(stop, waitMs)
      signal?.addEventListener('abort', stop, { once: true })
    })
  }

  async cancel(ids: readonly string[]): Promise<(WireError | undefined)[]> {
    const unavailable = this.#unavailable()
    if (unavailable) return ids.map(() => unavailable)
    const { ids: seen, placeOf, hidden } = visibleTasks(this.#host.state, this.#principal, 'cancel', ids)
    const refused = this.#host
      .apply({ type: 'cancel', session: undefined, ref: 0, ids: seen })
      .map((event) => ({ ...event, index: placeOf(event.index as number) }))
    for (const index of hidden) refused.push({ ...unknownTask(undefined, ids[index] as string, {}), index })
    await this.#durable()
    return verdicts(ids.length, refused)
  }

  queues(): QueueStats[] {
    const { state, nowMs } = this.#host
    const takers = takersOf(state)
    return this.#readable(state.queues.values()).map((queue) => {
      const { workers, freeCredit } = takers.get(queue) ?? NO_TAKERS
      return {
        name: queue.name,
        ready: queue.ready.size,
        delayed: queue.delayed,
        leased: queue.leased.size,
        succeeded: queue.succeeded,
        dead: queue.dead.size,
        cancelled: queue.done.size - queue.succeeded,
        bytes: queue.bytes,
        tasksMax: state.config.queueTasksMax,
        bytesMax: state.config.queueBytesMax,
        workers,
        freeCredit,
        drainPerSecond: Math.round(queue.finishRate.perSecond(nowMs) * 10) / 10,
        oldestReadyAgeMs: Math.round(nowMs - (queue.ready.oldestAcceptedAtMs() ?? nowMs)),
      }
    })
  }

  workers({ limit, after }: { limit: number; after?: string }): { workers: WorkerStats[]; next?: string } {
    const from = after === undefined ? 0 : orderOf(after)
    const workers: WorkerStats[] = []
    for (const session of this.#host.state.sessions.values()) {
      if (session.order <= from || !session.roles.includes('worker')) continue
      const queues = this.#readable(queuesOf(session.subscriptions)).map(({ name }) => name)
      if (queues.length === 0 && !authorize(this.#principal, 'admin')) continue
      if (workers.length === limit) return { workers, next: (workers.at(-1) as WorkerStats).id }
      const connection = this.#host.connections.of(session.id)
      workers.push({
        id: publicIdOf(session),
        name: connection?.name ?? '',
        labels: connection?.labels ?? {},
        connected: session.phase === 'connected',
        credit: session.credit,
        leased: session.leases.size,
        queues,
      })
    }
    return { workers }
  }

  dead({ queue: name, limit, after }: { queue?: string; limit: number; after?: string }): {
    tasks: DeadLetter[]
    next?: string
  } {
    const { state, nowMs } = this.#host
    const start = after === undefined ? undefined : this.#visible(after)
    // Redriven letters leave a queue from the front, so the letters now at the front came after the one that has gone.
    if (after !== undefined && !start && name === undefined) {
      const message = `no task ${after} is held any more: list from the beginning, or queue by queue`
      throw Object.assign(new Error(message), { code: 'unknown_task' })
    }
    if (name !== undefined) this.#assert('read', name)
    const queues = this.#readable(state.queues.values()).filter((queue) => name === undefined || queue.name === name)
    // A page begins after `after` in its queue and continues with the next queues.
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

  async redrive(target: { ids: readonly string[] } | { queue: string }): Promise<Redriven> {
    this.#assertAvailable()
    if ('queue' in target) this.#assert('manage', target.queue)
    const all = 'ids' in target ? target.ids : deadIds(this.#host, target.queue)
    const { ids, hidden } = visibleTasks(this.#host.state, this.#principal, 'manage', all)
    let redriven = 0
    const refused: Redriven['refused'] = hidden.map((place) => {
      const id = all[place] as string
      return { id, error: wireError(unknownTask(undefined, id, {})) }
    })
    for (let i = 0; i < ids.length; i += REDRIVE_BATCH) {
      const some = [...new Set(ids.slice(i, i + REDRIVE_BATCH))]
      const refusals = this.#host.apply({ type: 'redrive', ids: some })
      redriven += some.length - refusals.length
      for (const event of refusals) refused.push({ id: some[event.index as number] as string, error: wireError(event) })
      await this.#durable()
    }
    return { redriven, refused }
  }

  tasks(query: TaskListQuery): { tasks: TaskStatus[]; next?: string } {
    return taskPage(this.#host, query, (task) => authorizeTask(this.#principal, 'read', task))
  }

  async purge(queue: string): Promise<Purged> {
    this.#assert('manage', queue)
    this.#assertAvailable()
    return purgeQueue(this.#host, queue, () => this.#durable())
  }

  async dropQueue(queue: string): Promise<Purged> {
    this.#assert('manage', queue)
    this.#assertAvailable()
    // Flush, because the removal of a record is otherwise written lazily.
    return dropQueue(this.#host, queue, () => this.#durable(this.#host.flushed()))
  }

  async purgeDead(target: { ids: readonly string[] } | { queue: string }): Promise<Purged> {
    if ('queue' in target) this.#assert('manage', target.queue)
    this.#assertAvailable()
    const seen =
      'queue' in target ? target : { ids: visibleTasks(this.#host.state, this.#principal, 'manage', target.ids).ids }
    // Flush, because the removal of a record is otherwise written lazily.
    return purgeDead(this.#host, seen, () => this.#durable(this.#host.flushed()))
  }

  follow(reader: OutcomeReader): () => void {
    this.#assertAvailable()
    const { outcomes, listening, config } = this.#host
    if (listening >= config.waitersMax)
      throw Object.assign(new Error('too many requests wait for outcomes: try again later'), { code: 'busy' })
    const principal = this.#principal
    if (principal === undefined) return outcomes.add(reader)
    return outcomes.add({
      told: (outcome, owner) => {
        const isOwn = owner === principal.id
        if (isOwn || authorize(principal, 'read', outcome.queue)) reader.told(outcome, owner)
      },
      ended: () => reader.ended(),
    })
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

  /** A task that this principal may see. */
  #visible(id: string): Task | undefined {
    const task = this.#host.state.tasks.get(id)
    return task && authorizeTask(this.#principal, 'read', task) ? task : undefined
  }

  #readable(queues: Iterable<Queue>): Queue[] {
    return [...queues].filter(({ name }) => authorize(this.#principal, 'read', name))
  }

  /** @throws an Error with code not_permitted if a scope is missing */
  #assert(action: QueueAction | 'admin', queue?: string): void {
    const principal = this.#principal
    if (principal === undefined || authorize(principal, action, queue)) return
    const error = notPermitted(principal, action, queue)
    throw Object.assign(new Error(error.message), error)
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

/** Per queue, the connected sessions that take from it. */
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

/** The public name of a session. Its id is secret. */
function publicIdOf({ order }: Session): string {
  return `worker-${order}`
}

/** The session's number that a public id contains. The session may be gone. */
function orderOf(id: string): number {
  return Number(/^worker-(\d+)$/.exec(id)?.[1] ?? Number.NaN)
}

function queuesOf(subscriptions: readonly Subscription[]): Queue[] {
  return subscriptions.map(({ queue }) => queue)
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
