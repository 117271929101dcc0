import { HISTORY_MAX, isFinished, type State, watchersOf } from '@sluice/engine'
import type { Checker, Observation, Surroundings } from '../observation.ts'
import type { Step, TaskView } from './chronicle.ts'
import type { Sources, Violate } from './sources.ts'

/**
 * What a start makes of the journal is what was written, compaction or not: of each task its state, attempts, hand-backs, history and
 * latest progress, and of each unfinished one who watches it.
 */
export class Recoveries implements Checker {
  readonly rule = 'PROMISE-38'
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
    for (const step of steps) this.#note(step)
    if (observation.type === 'recovered' && state)
      for (const task of chronicle.tasks.values()) this.#judge(task, state, violate)
  }

  #note({ fact, after }: Step): void {
    switch (fact.type) {
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
        // Of others there is nothing more to hear.
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

  #judge(task: TaskView, state: State, violate: Violate): void {
    const live = state.tasks.get(task.id)
    if (!live) return
    const differ = (what: string, is: unknown, was: unknown): void => {
      const [isText, wasText] = [JSON.stringify(is), JSON.stringify(was)]
      if (isText !== wasText)
        violate(`a start took up ${what} of task ${task.id} as ${isText}, and written was ${wasText}`, {
          ids: [task.id],
        })
    }
    differ('the state', live.phase.state, task.state)
    differ('the attempts', live.attempts, task.attempts)
    differ('the hand-backs', live.past.releases, task.releases)
    differ('the history', live.past.history.map(inShort), task.history.slice(-HISTORY_MAX).map(inShort))
    differ('the last error', live.past.history.at(-1)?.error?.message, task.history.at(-1)?.error?.message)
    differ('the progress', live.past.progress, this.#progress.get(task.id))
    if (isFinished(live)) return
    const watching = [...(this.#watchers.get(task.id) ?? [])].filter((session) => this.#sessions.has(session))
    differ(
      'the watchers',
      watchersOf(live)
        .map(({ id }) => id)
        .sort(),
      watching.sort(),
    )
  }
}

function inShort({ attempt, how }: TaskView['history'][number]): string {
  return `${attempt} ${how}`
}
