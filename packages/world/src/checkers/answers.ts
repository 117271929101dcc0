import type { State, Task } from '@sluice/engine'
import type { Cancelled, Status, TaskStatus, Watched } from '@sluice/protocol'
import type { Checker, Observation, ObservationOf, Surroundings, Violate } from '../observation.ts'

/** With these codes the broker says nothing about the task. */
const TEMPORARY = { busy: true, draining: true, read_only: true }

/** Times are told in whole ms. */
const ROUNDING_MS = 1

/** A task as the broker held it when it was asked. These objects are never changed, only replaced. */
interface Held {
  readonly task: Task
  readonly phase: Task['phase']
  readonly past: Task['past']
  readonly attempts: number
  readonly atMs: number
}

interface Asked {
  /** In the order of the question. The same id may occur twice. */
  readonly ids: readonly string[]
  readonly held: ReadonlyMap<string, Held | undefined>
}

const NOTHING: Asked = { ids: [], held: new Map() }

/**
 * An answer about a task, over a connection or by HTTP, gives the state, queue, attempts, age, progress, reason,
 * failure and history that the broker holds. An answer to `watch` or `cancel` matches the actual state of the task. A
 * task that has changed between question and answer is not judged.
 */
export class Answers implements Checker {
  readonly rule = 'HOST-20'
  /** By connection and ref (for operators by their node and its number), then by id. */
  readonly #asked = new Map<string, Asked>()

  see(observation: Observation, { state, brokerMs }: Surroundings, violate: Violate): void {
    switch (observation.type) {
      case 'heardByBroker': {
        const { connection, message } = observation
        if (message.type === 'query' || message.type === 'watch' || message.type === 'cancel')
          this.#ask(`${connection} ${message.ref}`, message.ids, state, brokerMs)
        break
      }
      case 'sentByBroker':
        if (observation.message.type === 'status')
          this.#status(observation, observation.message, state, brokerMs, violate)
        else if (observation.message.type === 'watched') this.#watched(observation, observation.message, state, violate)
        else if (observation.message.type === 'cancelled')
          this.#cancelled(observation, observation.message, state, violate)
        break
      case 'asking':
        this.#ask(`${observation.node} ${observation.request}`, [observation.id], state, brokerMs)
        break
      case 'answered':
        this.#answered(observation, state, brokerMs, violate)
        break
      case 'cancelling':
        if (observation.request !== undefined)
          this.#ask(`${observation.node} ${observation.request}`, [observation.id], state, brokerMs)
        break
      case 'cancelAnswered': {
        const { node, id, request, code } = observation
        const asked = this.#asked.get(`${node} ${request}`)
        this.#asked.delete(`${node} ${request}`)
        if (asked && !(code in TEMPORARY)) this.#judgeCancel(node, id, asked.held.get(id), code, state, violate)
        break
      }
      case 'nodeStopped':
        if (observation.node === 'broker') this.#asked.clear()
        break
      default:
    }
  }

  #ask(key: string, ids: readonly string[], state: State | undefined, atMs = 0): void {
    const held = ids.map((id): [string, Held | undefined] => {
      const task = state?.tasks.get(id)
      return [id, task && { task, phase: task.phase, past: task.past, attempts: task.attempts, atMs }]
    })
    this.#asked.set(key, { ids, held: new Map(held) })
  }

  #status(
    { node, connection }: ObservationOf<'sentByBroker'>,
    { ref, tasks, more }: Status,
    state: State | undefined,
    brokerMs: number | undefined,
    violate: Violate,
  ): void {
    const key = `${connection} ${ref}`
    const asked = this.#asked.get(key)
    if (more !== true) this.#asked.delete(key)
    if (!asked) return
    for (const told of tasks) {
      const held = asked.held.get(told.id)
      if (held && isUnchanged(held, state)) this.#judge(node, told, held, brokerMs, violate)
    }
  }

  #watched(
    { node, connection }: ObservationOf<'sentByBroker'>,
    { ref, unknown }: Watched,
    state: State | undefined,
    violate: Violate,
  ): void {
    const { ids, held: asked } = this.#taken(connection, ref)
    const told = new Set(unknown.map((index) => ids[index]))
    for (const [id, held] of asked) {
      const isUnknown = !held && !state?.tasks.has(id)
      if (isUnknown && !told.has(id))
        violate(`${node} was told to watch task ${id}, which is not held`, { ids: [id], nodes: [node] })
    }
  }

  #cancelled(
    { node, connection }: ObservationOf<'sentByBroker'>,
    { ref, refused }: Cancelled,
    state: State | undefined,
    violate: Violate,
  ): void {
    const { ids, held: asked } = this.#taken(connection, ref)
    const codes = new Map(refused.map(({ index, error }) => [ids[index], error.code]))
    for (const [id, held] of asked) this.#judgeCancel(node, id, held, codes.get(id) ?? 'cancelled', state, violate)
  }

  #judgeCancel(
    node: string,
    id: string,
    held: Held | undefined,
    told: string,
    state: State | undefined,
    violate: Violate,
  ): void {
    if (held ? !isUnchanged(held, state) : state?.tasks.has(id)) return
    const is = held ? (held.phase.state === 'cancelled' ? 'cancelled' : 'task_finished') : 'unknown_task'
    if (told !== is)
      violate(
        `${node} asked to cancel task ${id}, was told ${told}, and it is ${is}`,
        { ids: [id], nodes: [node] },
        'CANCEL-2',
      )
  }

  /** The question that is answered now. */
  #taken(connection: number, ref: number): Asked {
    const key = `${connection} ${ref}`
    const asked = this.#asked.get(key)
    this.#asked.delete(key)
    return asked ?? NOTHING
  }

  #answered(
    { node, id, request, task }: ObservationOf<'answered'>,
    state: State | undefined,
    brokerMs: number | undefined,
    violate: Violate,
  ): void {
    const held = this.#asked.get(`${node} ${request}`)?.held.get(id)
    this.#asked.delete(`${node} ${request}`)
    if (!held || !isUnchanged(held, state)) return
    this.#judge(node, task ?? { id, state: 'unknown' }, held, brokerMs, violate)
    // Over a connection, long stacks may be left out.
    const { phase } = held
    const stack = phase.state === 'dead' ? phase.error?.stack : undefined
    if (task && task.error?.stack !== stack)
      violate(`${node} was told another stack of task ${id} than it failed with`, { ids: [id], nodes: [node] })
    const attempts = inShort(held.past.history)
    if (task && inShort(task.history) !== attempts)
      violate(`${node} was told the attempts ${inShort(task.history)} of task ${id}, which are ${attempts}`, {
        ids: [id],
        nodes: [node],
      })
  }

  #judge(
    node: string,
    told: TaskStatus,
    { task, phase, past, attempts, atMs }: Held,
    nowMs = atMs,
    violate: Violate,
  ): void {
    const differ = (what: string, said: unknown, is: unknown): void => {
      const [saidText, isText] = [JSON.stringify(said), JSON.stringify(is)]
      if (saidText !== isText)
        violate(`${node} was told ${what} ${saidText} of task ${task.id}, and it is ${isText}`, {
          ids: [task.id],
          nodes: [node],
        })
    }
    const within = (what: string, said: number | undefined, a: number, b: number): void => {
      const [min, max] = [Math.max(0, Math.min(a, b)) - ROUNDING_MS, Math.max(0, a, b) + ROUNDING_MS]
      if (said === undefined || said < min || said > max)
        violate(`${node} was told ${what} ${said} of task ${task.id}, which is not within ${min} to ${max}`, {
          ids: [task.id],
          nodes: [node],
        })
    }
    differ('the state', told.state, phase.state)
    differ('the queue', told.queue, task.queue.name)
    differ('the attempts', told.attempts, attempts)
    differ('the progress', told.progress, past.progress)
    differ('the reason', told.reason, phase.state === 'dead' ? phase.reason : undefined)
    differ('the failure', told.error?.message, phase.state === 'dead' ? phase.error?.message : undefined)
    within('the age', told.ageMs, atMs - task.acceptance.atMs, nowMs - task.acceptance.atMs)
    if (phase.state === 'delayed') within('the wait', told.readyInMs, phase.readyAtMs - nowMs, phase.readyAtMs - atMs)
    else differ('the wait', told.readyInMs, undefined)
  }
}

function isUnchanged({ task, phase, past, attempts }: Held, state: State | undefined): boolean {
  return state?.tasks.get(task.id) === task && task.phase === phase && task.past === past && task.attempts === attempts
}

function inShort(history: Held['past']['history']): string {
  return JSON.stringify(history.map(({ attempt, how, error }) => [attempt, how, error?.message ?? '']))
}
