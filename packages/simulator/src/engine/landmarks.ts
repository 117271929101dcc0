import type { Seen } from '../view/fold.ts'
import type { Copyable, History } from './history.ts'

const TYPES: ReadonlySet<Seen['type']> = new Set<Seen['type']>([
  'nodeStarted',
  'nodeStopped',
  'submitting',
  'handlerStarted',
  'handlerAborted',
  'handlerEnded',
  'faultStarted',
])

/**
 * The few observations from which attempts, numbers of tasks and faults of a whole run are told. They are picked out
 * once, since to look through a long history for each picture takes too long.
 */
export class Landmarks {
  readonly #history: History<Copyable>
  /** Each with its number in the history. */
  #found: { number: number; seen: Seen }[] = []
  /** How many observations were looked at. */
  #looked = 0
  #last: Seen | undefined

  constructor(history: History<Copyable>) {
    this.#history = history
  }

  /** Those up to this instant that are still kept. */
  until(atMs: number): Seen[] {
    this.#look()
    const until: Seen[] = []
    for (const { seen } of this.#found) {
      if (seen.atMs > atMs) break
      until.push(seen)
    }
    return until
  }

  #look(): void {
    const { count, seen } = this.#history
    const first = count - seen.length
    if (this.#looked > count || (this.#looked > first && this.#history.kept(this.#looked - 1) !== this.#last))
      this.#drop()
    if (this.#found[0] !== undefined && this.#found[0].number < first)
      this.#found = this.#found.filter(({ number }) => number >= first)
    for (let number = Math.max(this.#looked, first); number < count; number += 1) {
      const one = this.#history.kept(number) as Seen
      if (TYPES.has(one.type)) this.#found.push({ number, seen: one })
    }
    this.#looked = count
    this.#last = this.#history.kept(count - 1)
  }

  /** The run went on differently: what is no part of the history any more is dropped. */
  #drop(): void {
    for (let last = this.#found.at(-1); last !== undefined; last = this.#found.at(-1)) {
      if (this.#history.kept(last.number) === last.seen) break
      this.#found.pop()
    }
    this.#looked = (this.#found.at(-1)?.number ?? -1) + 1
  }
}
