import { HISTORY_MAX, type State } from '@sluice/engine'
import type { FactOf } from '../journal/facts.ts'
import type { OutcomeItem } from '../message-items.ts'
import type { Checker, Observation, Surroundings, Violate } from '../observation.ts'
import { attemptsAllowed, type TaskView } from './chronicle.ts'
import type { Sources } from './sources.ts'

/** A dead letter has the reason of its last attempt and the history of its attempts. */
export class DeadLetters implements Checker {
  readonly rule = 'DEAD-1'
  readonly #sources: Sources
  /** Leases for which a worker said that the task must not be retried, by session and lease. */
  readonly #hopeless = new Set<string>()
  /** What workers said of failed leases, by session and lease. The first message counts. */
  readonly #said = new Map<string, string>()

  constructor(sources: Sources) {
    this.#sources = sources
  }

  see(observation: Observation, { state }: Surroundings, violate: Violate): void {
    const { chronicle, wire } = this.#sources
    const steps = chronicle.see(observation)
    wire.see(observation)
    chronicle.forgetLost(this.#hopeless)
    chronicle.forgetLost(this.#said)
    if (observation.type === 'heardByBroker' && observation.message.type === 'fail') {
      const { session } = wire.connectionOf(observation)
      for (const { lease, retryable, error } of observation.message.failures) {
        const key = `${session} ${lease}`
        if (retryable === false) this.#hopeless.add(key)
        if (!this.#said.has(key)) this.#said.set(key, error.message)
      }
    }
    if (!chronicle.isRetold) {
      for (const { fact, before, after } of steps) {
        if (fact.type !== 'taskDied' || !before || !after) continue
        this.#died(before, fact, violate)
        if (state) this.#compare(state, after, violate)
      }
    }
    if (observation.type === 'sentByBroker' && observation.message.type === 'ended') {
      for (const item of wire.outcomesIn(observation))
        if (item.status === 'dead') this.#told(observation.node, item, violate)
    }
  }

  #told(node: string, { id, attempts, reason, error }: OutcomeItem, violate: Violate): void {
    const { chronicle } = this.#sources
    const task = chronicle.tasks.get(id)
    if (task?.state !== 'dead' || chronicle.damaged.has(id)) return
    const about = { ids: [id], nodes: [node] }
    if (attempts !== task.attempts)
      violate(`${node} was told of ${attempts} attempts of task ${id}, which had ${task.attempts}`, about, 'RESULT-2')
    const { session, lease } = chronicle.outcomesOf(id).at(-1) ?? {}
    const said = this.#said.get(`${session} ${lease}`)
    const isFailure = reason === 'attempts_exhausted' || reason === 'not_retryable'
    const cut = task.history.at(-1)?.cut ?? 'stack'
    const isLeftOut = error === undefined && cut !== 'stack'
    if (isFailure && said !== undefined && error?.message !== said && !isLeftOut)
      violate(
        `${node} was told that task ${id} failed of ${error?.message ?? 'nothing'}, and it was ${said}`,
        about,
        'RESULT-2',
      )
  }

  #died(task: TaskView, { reason, attempt, atMs }: FactOf<'taskDied'>, violate: Violate): void {
    const about = { ids: [task.id] }
    const wrong = (why: string): void => violate(`task ${task.id} is dead as ${reason}, and ${why}`, about)
    const isHopeless = this.#hopeless.has(`${task.session} ${task.lease}`)
    const isExhausted = task.attempts >= attemptsAllowed(task)
    if (reason === 'expired') {
      if (task.isStarted) wrong('it had been delivered')
      if (attempt) wrong('an attempt is on record for it')
      return
    }
    if (task.state !== 'leased' || !attempt) {
      wrong(`it was ${task.state} without an attempt`)
      return
    }
    if (attempt.attempt !== task.attempts) wrong(`attempt ${attempt.attempt} is on record for attempt ${task.attempts}`)
    if (attempt.endedAtMs !== atMs) wrong('its last attempt ended at another time')
    if (reason === 'not_retryable') {
      if (attempt.how !== 'failed' || !isHopeless) wrong('nobody said that it is not to be tried again')
      return
    }
    if (!isExhausted) wrong(`${task.attempts} attempts of ${attemptsAllowed(task)} were made`)
    if (reason === 'attempts_exhausted' && attempt.how !== 'failed') wrong(`its last attempt ended as ${attempt.how}`)
    if (reason === 'attempts_exhausted' && isHopeless) wrong('its worker said that it is not to be tried again')
    if (reason === 'lease_expired' && attempt.how === 'failed') wrong('its last attempt failed in its worker')
  }

  /** The live state may be ahead. Only a task that is the same there and here is compared. */
  #compare(state: State, task: TaskView, violate: Violate): void {
    const live = state.tasks.get(task.id)
    if (live?.phase.state !== 'dead' || live.phase.forgetAtMs !== task.forgetAtMs) return
    const { history } = live.past
    const lasting = task.history.slice(-HISTORY_MAX)
    // If errors are long, those of the oldest attempts are dropped.
    const isGone = (i: number): boolean => i < history.length - 1 && history[i]?.error === undefined
    const kept = lasting.map((attempt, i) => inShort(isGone(i) ? withoutError(attempt) : attempt)).join()
    const held = history.map(inShort).join()
    if (kept !== held)
      violate(
        `dead letter ${task.id} has the attempts ${held || 'none'}, and was tried as ${kept || 'none'}`,
        {
          ids: [task.id],
        },
        'DEAD-2',
      )
  }
}

function inShort({ attempt, how, error }: TaskView['history'][number]): string {
  return `${attempt} ${how} ${error?.message ?? ''}`
}

function withoutError({ error: _, ...attempt }: TaskView['history'][number]): TaskView['history'][number] {
  return attempt
}
