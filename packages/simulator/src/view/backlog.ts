import type { Seen } from './fold.ts'

export type BacklogState = 'delayed' | 'ready' | 'leased'

interface Held {
  state: BacklogState
  sinceMs: number
  acceptedAtMs: number
}

interface Undo {
  id: string
  before: Held | undefined
  wasDead: boolean
  /** The batch in which it is written, once there is one. */
  batch: number | undefined
}

type TaskTransition = Extract<Seen, { type: 'transition' }>

/** What a transition did. */
export interface Passed {
  /** The task was not with the broker before. */
  entered: boolean
  /** The time that it had been with the broker, in ms, if it has ended. */
  leftAfterMs: number | undefined
}

/**
 * The unfinished tasks at the broker, as its own transitions say. What a crash undoes is undone here: a transition counts
 * for good when its batch is on the disk.
 */
export class Backlog {
  #held = new Map<string, Held>()
  /** Ready tasks with the time since when, the one that waits longest first. */
  #ready = new Map<string, number>()
  #dead = new Set<string>()
  #unwritten: Undo[] = []
  #counts: Record<BacklogState, number> = { delayed: 0, ready: 0, leased: 0 }

  get size(): number {
    return this.#held.size + this.#ready.size
  }

  get counts(): Readonly<Record<BacklogState, number>> {
    return this.#counts
  }

  /** Unfinished tasks. */
  get inSystem(): number {
    return this.#held.size
  }

  get dead(): number {
    return this.#dead.size
  }

  /** Undefined for a task that is finished, or that the broker does not have. */
  stateOf(id: string): BacklogState | undefined {
    return this.#held.get(id)?.state
  }

  /** Whether a crash could undo the last change of this task. */
  isUnwritten(id: string): boolean {
    return this.#unwritten.some((undo) => undo.id === id)
  }

  isDead(id: string): boolean {
    return this.#dead.has(id)
  }

  /** Since when the ready task that waits longest has waited. */
  get oldestSinceMs(): number | undefined {
    return this.#ready.values().next().value
  }

  copy(): Backlog {
    const copy = new Backlog()
    // A task's entry is replaced and never changed.
    copy.#held = new Map(this.#held)
    copy.#ready = new Map(this.#ready)
    copy.#dead = new Set(this.#dead)
    copy.#unwritten = this.#unwritten.map((undo) => ({ ...undo }))
    copy.#counts = { ...this.#counts }
    return copy
  }

  pass({ id, to, atMs }: TaskTransition): Passed {
    const before = this.#held.get(id)
    this.#unwritten.push({ id, before, wasDead: this.#dead.has(id), batch: undefined })
    this.#dead.delete(id)
    if (to === 'delayed' || to === 'ready' || to === 'leased') {
      this.#put(id, { state: to, sinceMs: atMs, acceptedAtMs: before?.acceptedAtMs ?? atMs })
      return { entered: before === undefined, leftAfterMs: undefined }
    }
    if (to === 'dead') this.#dead.add(id)
    this.#take(id)
    return { entered: false, leftAfterMs: before && atMs - before.acceptedAtMs }
  }

  /** Everything that was decided up to now is in this batch or an earlier one. */
  appending(batch: number): void {
    for (const undo of this.#unwritten) undo.batch ??= batch
  }

  appended(batch: number): void {
    this.#unwritten = this.#unwritten.filter((undo) => undo.batch === undefined || undo.batch > batch)
  }

  /** The broker has read its journal, in which this is the last batch. */
  recovered(lastBatch: number): void {
    for (const { id, before, wasDead, batch } of this.#unwritten.toReversed()) {
      if (batch !== undefined && batch <= lastBatch) continue
      if (before === undefined) this.#take(id)
      else this.#put(id, before)
      if (wasDead) this.#dead.add(id)
      else this.#dead.delete(id)
    }
    this.#unwritten = []
    this.#ready = new Map([...this.#ready].sort(([, a], [, b]) => a - b))
  }

  #put(id: string, held: Held): void {
    this.#take(id)
    this.#held.set(id, held)
    this.#counts[held.state] += 1
    if (held.state === 'ready') this.#ready.set(id, held.sinceMs)
  }

  #take(id: string): void {
    const held = this.#held.get(id)
    if (held === undefined) return
    this.#held.delete(id)
    this.#ready.delete(id)
    this.#counts[held.state] -= 1
  }
}
