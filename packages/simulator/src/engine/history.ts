import type { Seen } from '../view/fold.ts'

/** The most observations that are kept: about 100 MB. */
const KEPT_MAX = 400_000
/** A view is kept at least every so many observations. */
const EVERY = 1000

/** What the folds of a run show together. */
export interface Copyable {
  see(seen: Seen): void
  copy(): Copyable
  /** How much there is to copy. */
  readonly size: number
}

interface Keyframe<State> {
  /** The number of observations before it. */
  at: number
  state: State
}

/**
 * What a run has shown so far, so that any instant can be shown again. The oldest is forgotten where there is too much.
 */
export class History<State extends Copyable> {
  readonly #keptMax: number
  #seen: Seen[] = []
  /** How many observations were forgotten. */
  #forgotten = 0
  #keyframes: Keyframe<State>[]
  /** Has seen everything. */
  #head: State
  #sinceKeyframe = 0
  /** Has seen what comes before some instant, so that going on from there is cheap. */
  #cursor: Keyframe<State>

  constructor(start: State, keptMax = KEPT_MAX) {
    this.#keptMax = keptMax
    this.#head = start
    this.#keyframes = [{ at: 0, state: start.copy() as State }]
    this.#cursor = { at: 0, state: start.copy() as State }
  }

  /** Has seen everything. */
  get head(): State {
    return this.#head
  }

  /** How many observations there were, forgotten ones included. */
  get count(): number {
    return this.#forgotten + this.#seen.length
  }

  /** The observation of this number, from 0, unless it was forgotten. */
  kept(number: number): Seen | undefined {
    return this.#seen[number - this.#forgotten]
  }

  /** The state before everything that is kept. It must not be changed. */
  get first(): State {
    return (this.#keyframes[0] as Keyframe<State>).state
  }

  get seen(): readonly Seen[] {
    return this.#seen
  }

  /** The earliest instant that can be shown. */
  get fromMs(): number {
    return this.#forgotten === 0 ? 0 : (this.#seen[0]?.atMs ?? 0)
  }

  add(seen: Seen): void {
    this.#seen.push(seen)
    this.#head.see(seen)
    this.#sinceKeyframe += 1
    // A large state is copied less often, so that copies stay a small part of the work.
    if (this.#sinceKeyframe >= Math.max(EVERY, 4 * this.#head.size)) {
      this.#keyframes.push({ at: this.#forgotten + this.#seen.length, state: this.#head.copy() as State })
      this.#sinceKeyframe = 0
    }
    if (this.#seen.length > this.#keptMax) this.#forget()
  }

  /** Whatever came after this instant is forgotten: the run goes on differently from there. */
  cut(atMs: number): void {
    const count = this.#countUntil(atMs)
    this.#head = this.#stateAt(count).copy() as State
    this.#seen.length = count - this.#forgotten
    // What is on its way may arrive at another time now.
    for (const seen of this.#seen)
      if (seen.arrivesAtMs !== undefined && seen.arrivesAtMs > atMs) delete seen.arrivesAtMs
    this.#keyframes = this.#keyframes.filter(({ at }) => at <= count)
    this.#sinceKeyframe = count - (this.#keyframes.at(-1)?.at ?? 0)
    if (this.#cursor.at > count) this.#cursor = { at: count, state: this.#head.copy() as State }
  }

  /** The state at this instant, after everything that happened at it. It must not be changed. */
  stateAt(atMs: number): State {
    return this.#stateAt(this.#countUntil(atMs))
  }

  /** The place of the first observation after this instant, for `seen`. */
  indexAfter(atMs: number): number {
    return this.#countUntil(atMs) - this.#forgotten
  }

  #stateAt(count: number): State {
    let from = this.#cursor
    for (let i = this.#keyframes.length - 1; i >= 0; i -= 1) {
      const keyframe = this.#keyframes[i] as Keyframe<State>
      if (keyframe.at > count) continue
      if (from.at > count || keyframe.at > from.at) from = { at: keyframe.at, state: keyframe.state.copy() as State }
      break
    }
    for (; from.at < count; from.at += 1) from.state.see(this.#seen[from.at - this.#forgotten] as Seen)
    this.#cursor = from
    return from.state
  }

  #countUntil(atMs: number): number {
    let low = 0
    let high = this.#seen.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#seen[middle] as Seen).atMs <= atMs) low = middle + 1
      else high = middle
    }
    return this.#forgotten + low
  }

  #forget(): void {
    // A keyframe must stand before everything that is kept.
    const wanted = this.#forgotten + Math.floor(this.#keptMax / 4)
    const first = this.#keyframes.find(({ at }) => at >= wanted)
    if (first === undefined) return
    this.#seen.splice(0, first.at - this.#forgotten)
    this.#forgotten = first.at
    this.#keyframes = this.#keyframes.filter(({ at }) => at >= first.at)
    if (this.#cursor.at < first.at) this.#cursor = { at: first.at, state: first.state.copy() as State }
  }
}
