import { type ClientMessage, type Limits, utf8Length } from '@sluice/protocol'
import { strictJson } from './encode-value.ts'
import { type Logger, messageOf } from './logger.ts'
import type { Platform } from './platform.ts'

/** The time between two reports of the same worker, in ms. */
const INTERVAL_MS = 100

/** The newest unsent progress of each lease. A task that reports in a loop costs one update per interval. */
export class ProgressReports {
  readonly #platform: Platform
  readonly #logger: Logger
  readonly #requestFlush: () => void
  readonly #newest = new Map<number, unknown>()
  /** The last reports of ended attempts. They leave with the answer, whatever the interval. */
  readonly #last = new Map<number, unknown>()
  /** Ends the pause after a report. Undefined while there is none. */
  #cancelRest: (() => void) | undefined

  constructor(platform: Platform, logger: Logger, requestFlush: () => void) {
    this.#platform = platform
    this.#logger = logger
    this.#requestFlush = requestFlush
  }

  get waiting(): number {
    return this.#last.size + (this.#cancelRest === undefined ? this.#newest.size : 0)
  }

  report(lease: number, value: unknown): void {
    this.#newest.set(lease, value)
    if (this.#cancelRest === undefined) this.#requestFlush()
  }

  /** The attempt has ended. Its answer requests a flush. */
  end(lease: number): void {
    if (!this.#newest.has(lease)) return
    this.#last.set(lease, this.#newest.get(lease))
    this.#newest.delete(lease)
  }

  /** The lease is lost, so its progress is of no use. */
  drop(lease: number): void {
    this.#newest.delete(lease)
    this.#last.delete(lease)
  }

  stop(): void {
    this.#cancelRest?.()
  }

  collect(out: ClientMessage[], limits: Limits): void {
    this.#push(out, this.#last, limits)
    if (this.#cancelRest !== undefined || this.#newest.size === 0) return
    this.#push(out, this.#newest, limits)
    this.#cancelRest = this.#platform.setTimer(() => {
      this.#cancelRest = undefined
      if (this.#newest.size > 0) this.#requestFlush()
    }, INTERVAL_MS)
  }

  #push(out: ClientMessage[], reports: Map<number, unknown>, limits: Limits): void {
    if (reports.size === 0) return
    const updates: { lease: number; progress: unknown }[] = []
    // Remove the entries first: reading a value may run code of its handler, which may report again.
    const taken = [...reports]
    reports.clear()
    for (const [lease, value] of taken) {
      try {
        updates.push({ lease, progress: plainProgress(value, limits) })
      } catch (error) {
        this.#logger.warn({ lease }, `progress left out: ${messageOf(error)}`)
      }
    }
    for (let from = 0; from < updates.length; from += limits.batchItemsMax) {
      out.push({ type: 'reportProgress', updates: updates.slice(from, from + limits.batchItemsMax) })
    }
  }
}

/**
 * The value that its JSON stands for. A value that contains code could give a different result the next time.
 * @throws Error with the reason why it cannot be sent; one bad value would make the whole frame invalid
 */
function plainProgress(value: unknown, limits: Limits): unknown {
  if (typeof value === 'number' && Number.isFinite(value)) return value
  if (value === undefined) throw new Error('it is undefined')
  const json = strictJson(value, 'progress')
  const bytesMax = Math.min(limits.progressBytesMax, limits.frameBytesMax >> 1)
  // UTF-8 takes at most three bytes for a UTF-16 unit.
  if (json.length * 3 > bytesMax && utf8Length(json) > bytesMax) throw new Error(`it has more than ${bytesMax} bytes`)
  // Inside a string the quotes would be escaped, so this can only be a key.
  if (json.includes('"__proto__":')) throw new Error('it holds the key __proto__')
  // The message around it nests too, so some levels are reserved.
  if (depthOf(json) > limits.depthMax - 8) throw new Error('it nests too deep')
  return JSON.parse(json)
}

/** The deepest nesting. Brackets inside strings count too, which errs on the safe side. */
function depthOf(json: string): number {
  let depth = 0
  let deepest = 0
  for (const character of json) {
    if (character === '[' || character === '{') {
      depth += 1
      deepest = Math.max(deepest, depth)
    } else if (character === ']' || character === '}') depth -= 1
  }
  return deepest
}
