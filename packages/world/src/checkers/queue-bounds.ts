import type { HostConfig } from '@sluice/broker/core'
import {
  type EngineConfig,
  HISTORY_LENGTH_MAX,
  HISTORY_MAX,
  isFinished,
  type State,
  unfinished,
  watchersOf,
} from '@sluice/engine'
import type { Checker, Observation, Surroundings, Violate } from '../observation.ts'
import { isOutcome, type Step, type TaskView } from './chronicle.ts'
import { boundsOf } from './population.ts'
import type { Sources } from './sources.ts'

const text = new TextEncoder()

interface Counts {
  unfinished: number
  bytes: number
  kept: number
  dead: number
}

/**
 * Queues, records, sessions and histories stay within their bounds, both as the facts count them and in the live
 * state.
 */
export class QueueBounds implements Checker {
  readonly rule = 'QUEUE-1'
  readonly #sources: Sources
  readonly #engine: EngineConfig
  readonly #host: HostConfig
  readonly #queues = new Map<string, Counts>()
  readonly #sessions = new Set<string>()
  /** Of whatever the broker received in one piece: a frame, or a request over HTTP. */
  #inputBytesMax = 0

  constructor(sources: Sources) {
    this.#sources = sources
    const { engine, host } = boundsOf(sources.scenario)
    this.#engine = engine
    this.#host = host
  }

  see(observation: Observation, { state }: Surroundings, violate: Violate): void {
    const { chronicle } = this.#sources
    this.#measure(observation)
    const steps = chronicle.see(observation)
    if (chronicle.isRetold) {
      this.#queues.clear()
      this.#sessions.clear()
    }
    const touched = new Set<string>()
    for (const { fact, before, after } of steps) {
      if (fact.type === 'attemptFailed' || fact.type === 'taskDied')
        judgeHistory(fact.id, state?.tasks.get(fact.id)?.past.history ?? [], violate)
      if (fact.type === 'taskWatched' && state) this.#judgeWatchers(fact.id, state, violate)
      if (fact.type === 'sessionOpened') this.#sessions.add(fact.session)
      else if (fact.type === 'sessionClosed') this.#sessions.delete(fact.session)
      const queue = (after ?? before)?.queue
      if (queue === undefined || before === after) continue
      touched.add(queue)
      const counts = this.#countsOf(queue)
      if (before) add(counts, before, -1)
      if (after) add(counts, after, 1)
    }
    // Within a batch the oldest are dropped after the newest have come. What counts is the state after the batch.
    for (const queue of touched) this.#judge(queue, this.#countsOf(queue), violate)
    if (observation.type === 'appended' && !chronicle.isRetold) this.#judgeBatch(steps, violate)
    if (steps.length > 0 && this.#sessions.size > this.#engine.sessionsMax)
      violate(
        `there are ${this.#sessions.size} sessions, at most ${this.#engine.sessionsMax} are allowed`,
        {},
        'SESSION-1',
      )
    if (observation.type === 'appending' && state) this.#judgeState(state, violate)
  }

  #measure(observation: Observation): void {
    let bytes = 0
    if (observation.type === 'frame' && observation.by === 'node') bytes = observation.bytes
    else if (observation.type === 'submitting' && observation.node === 'operator')
      bytes = text.encode(JSON.stringify(observation.body)).length
    this.#inputBytesMax = Math.max(this.#inputBytesMax, bytes)
  }

  /** Input waits once this much is staged. At most what was being read comes on top. */
  #judgeBatch(steps: readonly Step[], violate: Violate): void {
    let bytes = 0
    for (const { fact } of steps) if (fact.type === 'taskAccepted' || fact.type === 'taskSucceeded') bytes += fact.bytes
    const max = this.#host.stagedBytesMax + this.#inputBytesMax
    if (bytes > max) violate(`a batch holds ${bytes} bytes of new bodies, at most ${max} are allowed`, {}, 'HOST-9')
  }

  #countsOf(queue: string): Counts {
    let counts = this.#queues.get(queue)
    if (!counts) {
      counts = { unfinished: 0, bytes: 0, kept: 0, dead: 0 }
      this.#queues.set(queue, counts)
    }
    return counts
  }

  #judge(queue: string, { unfinished: tasks, bytes, kept, dead }: Counts, violate: Violate): void {
    const { queueTasksMax, queueBytesMax, queueResultsMax, queueDeadMax } = this.#engine
    const over = (count: number, max: number, what: string, rule: string): void => {
      if (count > max) violate(`queue ${queue} holds ${count} ${what}, at most ${max} are allowed`, {}, rule)
    }
    over(tasks, queueTasksMax, 'unfinished tasks', 'QUEUE-1')
    over(bytes, queueBytesMax, 'bytes', 'QUEUE-1')
    over(kept, queueResultsMax, 'results', 'RESULT-4')
    over(dead, queueDeadMax, 'dead letters', 'DEAD-3')
  }

  #judgeWatchers(id: string, state: State, violate: Violate): void {
    const { watchersMax } = this.#engine
    const task = state.tasks.get(id)
    const count = task && !isFinished(task) ? watchersOf(task).length : 0
    if (count > watchersMax)
      violate(`task ${id} has ${count} watchers, at most ${watchersMax} are allowed`, { ids: [id] }, 'RESULT-2')
  }

  #judgeState(state: State, violate: Violate): void {
    const { sessionsMax, queuesMax, tasksMax, queueResultBytesMax, queueHistoryBytesMax } = this.#engine
    const { creditMax, sessionQueuesMax } = this.#host.limits
    for (const queue of state.queues.values()) {
      this.#judge(
        queue.name,
        {
          unfinished: unfinished(queue),
          bytes: queue.bytes,
          kept: queue.done.size,
          dead: queue.dead.size,
        },
        violate,
      )
    }
    for (const { name, resultBytes } of state.queues.values())
      if (resultBytes > queueResultBytesMax)
        violate(
          `queue ${name} keeps ${resultBytes} bytes of results, at most ${queueResultBytesMax} are allowed`,
          {},
          'RESULT-4',
        )
    for (const { name, historyBytes } of state.queues.values())
      if (historyBytes > queueHistoryBytesMax)
        violate(
          `queue ${name} keeps ${historyBytes} bytes of failures and progress, at most ${queueHistoryBytesMax} are allowed`,
          {},
          'QUEUE-7',
        )
    if (state.tasks.size > tasksMax)
      violate(`the broker holds ${state.tasks.size} tasks, at most ${tasksMax} are allowed`, {}, 'QUEUE-6')
    if (state.sessions.size > sessionsMax)
      violate(`the broker holds ${state.sessions.size} sessions, at most ${sessionsMax} are allowed`, {}, 'SESSION-1')
    if (state.queues.size > queuesMax)
      violate(`the broker holds ${state.queues.size} queues, at most ${queuesMax} are allowed`, {}, 'QUEUE-4')
    for (const { credit, leases, subscriptions } of state.sessions.values()) {
      if (credit > creditMax || leases.size > creditMax)
        violate(`a session holds ${leases.size} leases with a credit of ${credit}, past ${creditMax}`, {}, 'CREDIT-1')
      if (subscriptions.length > sessionQueuesMax)
        violate(
          `a session takes from ${subscriptions.length} queues, at most ${sessionQueuesMax} are allowed`,
          {},
          'CREDIT-1',
        )
      for (const { id, past } of leases.values()) judgeHistory(id, past.history, violate)
    }
  }
}

/** No stack is kept of attempts other than the newest, and at most this much of their errors. */
function judgeHistory(id: string, history: TaskView['history'], violate: Violate): void {
  if (history.length > HISTORY_MAX)
    violate(`task ${id} keeps ${history.length} attempts, at most ${HISTORY_MAX} are allowed`, { ids: [id] }, 'DEAD-2')
  const errors = history.slice(0, -1).flatMap(({ error }) => error ?? [])
  const length = errors.reduce(
    (sum, { message, name = '', code = '' }) => sum + message.length + name.length + code.length,
    0,
  )
  if (length > HISTORY_LENGTH_MAX || errors.some(({ stack }) => stack !== undefined))
    violate(`task ${id} keeps ${length} units of errors before the newest, or a stack`, { ids: [id] }, 'DEAD-2')
}

function add(counts: Counts, { state, bytes }: TaskView, sign: 1 | -1): void {
  if (!isOutcome(state)) {
    counts.unfinished += sign
    counts.bytes += sign * bytes
  } else if (state === 'dead') counts.dead += sign
  else counts.kept += sign
}
