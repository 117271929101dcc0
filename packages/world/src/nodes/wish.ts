import type { Context } from '../context.ts'
import { grained } from '../context.ts'
import { draw } from '../distribution.ts'
import type { RandomStream } from '../random.ts'
import type { ProducerGroup, TaskMix } from '../scenario.ts'
import { padded } from './task-text.ts'

/** How long after its acceptance a task is cancelled, submitted again, or asked for. */
const AFTER_MS_MEAN = 2000

/** What someone wants done and will do about it. It is drawn once, whatever happens to it. */
export interface Wish {
  readonly name: string
  readonly task: TaskMix
  readonly body: string
  readonly cancelAfterMs: number | undefined
  readonly resubmitAfterMs: number | undefined
  /** How it is submitted again: and forgotten, or with its outcome watched, or by mistake with another body. */
  readonly again: 'aside' | 'awaited' | 'changed'
  /** Whether another client asks for it. */
  readonly isAskedElsewhere: boolean
  readonly askAfterMs: number | undefined
  /** Whether the handle of the submission is asked. */
  readonly isKept: boolean
  /** Submissions, from 1. */
  attempts: number
  /** It has an outcome. */
  isFulfilled: boolean
  /** Its producer has stopped waiting for it. */
  isSettled: boolean
}

/** One submission of a wish, as the producer has written it down. It survives a crash. */
export interface Submission {
  readonly wish: Wish
  readonly id: string
  readonly attempt: number
  isAccepted: boolean
}

/** What a wish is drawn from. */
type Habits = Pick<ProducerGroup, 'tasks' | 'dealing' | 'cancels' | 'resubmits' | 'asksLater' | 'keepsHandles'>

export function makeWish(context: Context, group: Habits, producer: string, number: number): Wish {
  const name = `${producer}:${number}`
  const chance = context.random.once(`wish ${name}`)
  const drawn = pickTask(group.tasks, chance)
  const inTurn = group.tasks[(number - 1) % group.tasks.length] as TaskMix
  const task = group.dealing === 'inTurn' ? inTurn : drawn
  const bytes = draw(task.bodyBytes, chance)
  const after = (share: number | undefined): number | undefined => {
    // Both are always drawn, so that a scenario with one habit less has the same tasks.
    const happens = chance.chance(share ?? 0)
    const ms = grained(chance.exponential(AFTER_MS_MEAN))
    return happens ? ms : undefined
  }
  return {
    name,
    task,
    cancelAfterMs: after(group.cancels),
    resubmitAfterMs: after(group.resubmits),
    askAfterMs: after(group.asksLater),
    again: chance.chance(0.1) ? 'changed' : chance.chance(0.5) ? 'awaited' : 'aside',
    isAskedElsewhere: chance.chance(0.5),
    body: padded(`${name} `, bytes, chance, task.alphabet),
    isKept: chance.chance(group.keepsHandles ?? 0),
    attempts: 0,
    isFulfilled: false,
    isSettled: false,
  }
}

function pickTask(tasks: readonly TaskMix[], chance: RandomStream): TaskMix {
  let total = 0
  for (const { weight } of tasks) total += weight
  let left = chance.next() * total
  for (const task of tasks) {
    left -= task.weight
    if (left < 0) return task
  }
  return tasks.at(-1) as TaskMix
}
