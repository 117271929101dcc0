import type { State, Task } from '@sluice/engine'
import type { Status, TaskStatus } from '@sluice/protocol'
import type { Checker, Observation, ObservationOf, Surroundings } from '../observation.ts'
import type { Violate } from './sources.ts'

/** Instants are told in whole ms. */
const ROUNDING_MS = 1

/** A task as the broker held it when it was asked: none of this changes without being made anew. */
interface Held {
  readonly task: Task
  readonly phase: Task['phase']
  readonly past: Task['past']
  readonly attempts: number
  readonly atMs: number
}

/**
 * Whoever asks for a task, over a connection or by HTTP, is told the state, queue, attempts, age, progress, reason, failure and
 * history that the broker holds. A task that has changed between question and answer is not judged.
 */
export class Answers implements Checker {
  readonly rule = 'PROMISE-33'
  /** By connection and ref, and those of operators by their node and its number; then by id. */
  readonly #asked = new Map<string, ReadonlyMap<string, Held>>()

  see(observation: Observation, { state, brokerMs }: Surroundings, violate: Violate): void {
    switch (observation.type) {
      case 'heardByBroker': {
        const { connection, message } = observation
        if (message.type === 'query') this.#ask(`${connection} ${message.ref}`, message.ids, state, brokerMs)
        break
      }
      case 'sentByBroker':
        if (observation.message.type === 'status')
          this.#status(observation, observation.message, state, brokerMs, violate)
        break
      case 'asking':
        this.#ask(`${observation.node} ${observation.request}`, [observation.id], state, brokerMs)
        break
      case 'answered':
        this.#answered(observation, state, brokerMs, violate)
        break
      case 'nodeStopped':
        if (observation.node === 'broker') this.#asked.clear()
        break
      default:
    }
  }

  #ask(key: string, ids: readonly string[], state: State | undefined, atMs = 0): void {
    const held = new Map<string, Held>()
    for (const id of ids) {
      const task = state?.tasks.get(id)
      if (task) held.set(id, { task, phase: task.phase, past: task.past, attempts: task.attempts, atMs })
    }
    this.#asked.set(key, held)
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
      const held = asked.get(told.id)
      if (held && isUnchanged(held, state)) this.#judge(node, told, held, brokerMs, violate)
    }
  }

  #answered(
    { node, id, request, task }: ObservationOf<'answered'>,
    state: State | undefined,
    brokerMs: number | undefined,
    violate: Violate,
  ): void {
    const held = this.#asked.get(`${node} ${request}`)?.get(id)
    this.#asked.delete(`${node} ${request}`)
    if (!held || !isUnchanged(held, state)) return
    this.#judge(node, task ?? { id, state: 'unknown' }, held, brokerMs, violate)
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
