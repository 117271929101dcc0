import { createState, type Event, engineConfig, evolve, replay, type State } from '@sluice/engine'
import { describeKept, describeState } from '@sluice/engine/invariants'
import type { Checker, Observation, ObservationOf, Surroundings, Violate } from '../observation.ts'
import type { Sources } from './sources.ts'

/** A whole state is compared after about as many changes as it has parts. */
const PARTS_MIN = 50

/**
 * The state of a running broker equals a replay of its journal: at every recovery, and repeatedly at the moment of an
 * append. What compaction has discarded makes only announced differences.
 */
export class Replay implements Checker {
  readonly rule = 'REPLAY-1'
  readonly #sources: Sources
  readonly #batches = new Map<number, readonly Event[]>()
  /** From the batches that a starting broker would read now. */
  #kept: State
  /** From all batches that there ever were, once some of them have been discarded. */
  #whole: State | undefined
  #changes = 0
  #isStarting = true

  constructor(sources: Sources) {
    this.#sources = sources
    this.#kept = this.#fresh()
  }

  see(observation: Observation, { state }: Surroundings, violate: Violate): void {
    switch (observation.type) {
      case 'appending':
        this.#append(observation, state, violate)
        break
      case 'lost':
        for (const batch of this.#batches.keys()) if (batch >= observation.fromBatch) this.#batches.delete(batch)
        // Rebuilt at the recovery that follows.
        this.#whole = undefined
        break
      case 'recovered':
        this.#recover(observation, state, violate)
        break
      default:
    }
  }

  finish({ state }: Surroundings, violate: Violate): void {
    if (state && !this.#sources.chronicle.isWriting && this.#changes === 0) this.#compare(state, violate)
  }

  #fresh(): State {
    return createState(engineConfig(this.#sources.scenario.engine))
  }

  #append({ batch, events }: ObservationOf<'appending'>, state: State | undefined, violate: Violate): void {
    this.#batches.set(batch, events)
    this.#changes += events.length
    try {
      for (const event of events) {
        evolve(this.#kept, event)
        if (this.#whole) evolve(this.#whole, event)
      }
    } catch (error) {
      violate(`batch ${batch} cannot be replayed: ${(error as Error).message}`, {})
      return
    }
    if (!state) return
    if (this.#isStarting) {
      this.#isStarting = false
      if (this.#whole)
        this.#differ(describeKept(state), describeKept(this.#whole), 'what compaction left', violate, 'REPLAY-4')
    }
    const parts = this.#kept.tasks.size + 4 * (this.#kept.sessions.size + this.#kept.queues.size)
    if (this.#changes >= Math.max(PARTS_MIN, parts)) this.#compare(state, violate)
  }

  #recover({ firstBatch, lastBatch }: ObservationOf<'recovered'>, state: State | undefined, violate: Violate): void {
    const batches = [...this.#batches].sort(([a], [b]) => a - b)
    this.#kept = this.#fresh()
    this.#isStarting = true
    try {
      for (const [batch, events] of batches)
        if (batch >= firstBatch && batch <= lastBatch) for (const event of events) replay(this.#kept, event)
      if (firstBatch > 1) {
        this.#whole = this.#fresh()
        for (const [batch, events] of batches)
          if (batch <= lastBatch) for (const event of events) evolve(this.#whole, event)
      }
    } catch (error) {
      violate(`the journal cannot be replayed: ${(error as Error).message}`, {})
      return
    }
    if (state) this.#compare(state, violate)
  }

  #compare(state: State, violate: Violate): void {
    this.#changes = 0
    this.#differ(describeState(state), describeState(this.#kept), 'the live state', violate)
  }

  #differ(live: object, replayed: object, what: string, violate: Violate, rule = this.rule): void {
    if (JSON.stringify(live) === JSON.stringify(replayed)) return
    const found = difference(live, replayed, '')
    if (found) violate(`${what} differs from a replay of the journal: ${found}`, {}, rule)
  }
}

/** The first path at which two plain values differ, ignoring the order of keys; undefined if they are equal. */
function difference(is: unknown, be: unknown, path: string): string | undefined {
  const [one, other] = [JSON.stringify(is), JSON.stringify(be)]
  if (one === other) return undefined
  if (typeof is === 'object' && typeof be === 'object' && is !== null && be !== null) {
    for (const key of new Set([...Object.keys(is), ...Object.keys(be)])) {
      const found = difference(
        (is as Record<string, unknown>)[key],
        (be as Record<string, unknown>)[key],
        path === '' ? key : `${path}.${key}`,
      )
      if (found !== undefined) return found
    }
    return undefined
  }
  return `${path} is ${(one ?? 'missing').slice(0, 200)} and should be ${(other ?? 'missing').slice(0, 200)}`
}
