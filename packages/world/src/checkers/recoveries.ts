import { HISTORY_MAX, type State, watchersOf } from '@sluice/engine'
import type { Checker, Observation, Surroundings, Violate } from '../observation.ts'
import { isOutcome, type Step, type TaskView } from './chronicle.ts'
import type { Sources } from './sources.ts'

/** A task as a start loaded it, or as it was written again. */
interface Held {
  readonly state: string
  readonly attempts: number
  readonly releases: number
  readonly history: TaskView['history']
  readonly progress?: unknown
  readonly watchers: readonly string[]
}

/**
 * What a start makes of the journal, and what compaction writes again, is what was written. For each task: its state,
 * attempts, hand-backs, history and latest progress. For each unfinished one also who watches it.
 */
export class Recoveries implements Checker {
  readonly rule = 'HOST-14'
  readonly #sources: Sources
  readonly #progress = new Map<string, unknown>()
  /** Sessions by task. */
  readonly #watchers = new Map<string, Set<string>>()
  readonly #sessions = new Set<string>()

  constructor(sources: Sources) {
    this.#sources = sources
  }

  see(observation: Observation, { state }: Surroundings, violate: Violate): void {
    const { chronicle } = this.#sources
    const steps = chronicle.see(observation)
    if (chronicle.isRetold) for (const known of [this.#progress, this.#watchers, this.#sessions]) known.clear()
    for (const step of steps) this.#note(step, violate)
    if (observation.type === 'recovered' && state)
      for (const task of chronicle.tasks.values()) this.#takenUp(task, state, violate)
  }

  #note({ fact, after }: Step, violate: Violate): void {
    switch (fact.type) {
      case 'taskRestated': {
        const { phase, attempts, releases, history, progress, watchers } = fact.task
        if (after)
          this.#judge(
            'compaction wrote',
            after,
            { state: phase.state, attempts, releases, history, progress, watchers },
            violate,
            'HOST-15',
          )
        break
      }
      case 'sessionOpened':
        this.#sessions.add(fact.session)
        break
      case 'sessionClosed':
        this.#sessions.delete(fact.session)
        break
      case 'taskAccepted':
        this.#watchers.set(fact.id, new Set(fact.watcher === undefined ? [] : [fact.watcher]))
        this.#progress.delete(fact.id)
        break
      case 'taskWatched':
        // Nothing more can be told of the others.
        if (after?.state !== 'succeeded' && after?.state !== 'cancelled') this.#watchers.get(fact.id)?.add(fact.session)
        break
      case 'taskUnwatched':
        this.#watchers.get(fact.id)?.delete(fact.session)
        break
      case 'progressReported':
        this.#progress.set(fact.id, fact.progress)
        break
      default:
    }
  }

  #takenUp(task: TaskView, state: State, violate: Violate): void {
    const live = state.tasks.get(task.id)
    if (!live) return
    const { phase, attempts, past } = live
    const watchers = watchersOf(live).map(({ id }) => id)
    this.#judge('a start took up', task, { ...past, state: phase.state, attempts, watchers }, violate)
  }

  #judge(did: string, task: TaskView, held: Held, violate: Violate, rule = this.rule): void {
    const differ = (what: string, is: unknown, was: unknown): void => {
      const [isText, wasText] = [JSON.stringify(is), JSON.stringify(was)]
      if (isText !== wasText)
        violate(`${did} ${what} of task ${task.id} as ${isText}, and written was ${wasText}`, { ids: [task.id] }, rule)
    }
    differ('the state', held.state, task.state)
    differ('the attempts', held.attempts, task.attempts)
    differ('the hand-backs', held.releases, task.releases)
    differ('the history', held.history.map(inShort), task.history.slice(-HISTORY_MAX).map(inShort))
    differ('the last error', held.history.at(-1)?.error?.message, task.history.at(-1)?.error?.message)
    differ('the progress', held.progress, this.#progress.get(task.id))
    if (isOutcome(task.state)) return
    const watching = [...(this.#watchers.get(task.id) ?? [])].filter((session) => this.#sessions.has(session))
    differ('the watchers', [...held.watchers].sort(), watching.sort())
  }
}

function inShort({ attempt, how }: TaskView['history'][number]): string {
  return `${attempt} ${how}`
}
