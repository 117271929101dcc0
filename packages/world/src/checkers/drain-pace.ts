import type { Step } from './chronicle.ts'

/** The product takes a mean over at least this much time. */
const WINDOW_MS = 1000

interface Pace {
  unfinished: number
  /** The time in which the queue held nothing since its last end. It is left out. */
  idleMs: number
  lastEndMs: number | undefined
  /** The latest ends, without idle time, and the most within a window. */
  recent: number[]
  most: number
}

/** How fast a queue has drained, within bounds that every fair estimate keeps (QUEUE-2). */
export interface PaceBounds {
  /** Tasks a second; 0 if no task of the queue has ever ended. */
  readonly perSecondMax: number
  /** By the broker's clock; undefined if no task has ended. */
  readonly lastEndMs: number | undefined
}

const UNKNOWN: PaceBounds = { perSecondMax: 0, lastEndMs: undefined }

/** The ends of tasks, queue by queue, read from the facts. */
export class DrainPace {
  readonly #queues = new Map<string, Pace>()

  see(steps: readonly Step[], isRetold: boolean): void {
    if (isRetold) this.#queues.clear()
    for (const { fact, before, after } of steps) {
      const queue = (after ?? before)?.queue
      if (queue === undefined || before === after) continue
      switch (fact.type) {
        case 'taskAccepted':
          this.#begun(this.#paceOf(queue), fact.atMs)
          break
        case 'taskRedriven':
          this.#paceOf(queue).unfinished += 1
          break
        case 'taskCancelled':
          this.#paceOf(queue).unfinished -= 1
          break
        case 'taskSucceeded':
        case 'taskDied':
          this.#ended(this.#paceOf(queue), fact.atMs)
          break
        default:
      }
    }
  }

  boundsOf(queue: string): PaceBounds {
    const pace = this.#queues.get(queue)
    if (!pace) return UNKNOWN
    // A mean over more than a window may include the maximum in its first and in its last part.
    return { perSecondMax: (2 * pace.most * 1000) / WINDOW_MS, lastEndMs: pace.lastEndMs }
  }

  #paceOf(queue: string): Pace {
    let pace = this.#queues.get(queue)
    if (!pace) {
      pace = { unfinished: 0, idleMs: 0, lastEndMs: undefined, recent: [], most: 0 }
      this.#queues.set(queue, pace)
    }
    return pace
  }

  #begun(pace: Pace, atMs: number): void {
    if (pace.unfinished === 0 && pace.lastEndMs !== undefined) pace.idleMs += atMs - pace.lastEndMs
    pace.unfinished += 1
  }

  #ended(pace: Pace, atMs: number): void {
    pace.unfinished -= 1
    pace.lastEndMs = atMs
    const busyMs = atMs - pace.idleMs
    pace.recent.push(busyMs)
    while ((pace.recent[0] as number) < busyMs - WINDOW_MS) pace.recent.shift()
    pace.most = Math.max(pace.most, pace.recent.length)
  }
}
