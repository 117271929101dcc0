import type { Checker, Observation, ObservationOf, Surroundings, Violate } from '../observation.ts'
import { TIMER_MS } from './client-constants.ts'
import { LateNodes } from './late-nodes.ts'
import type { Sources } from './sources.ts'

/** The reason for which a handler is stopped when its time is over. */
const REASON = 'TimeLimitExceeded'

interface Limited {
  readonly id: string
  readonly node: string
  readonly limitMs: number
  readonly atMs: number
}

/** A handler whose task has a time limit is stopped when that is over, and not before. */
export class TimeLimits implements Checker {
  readonly rule = 'CLIENT-6'
  readonly #sources: Sources
  readonly #late = new LateNodes()
  /** By run. */
  readonly #running = new Map<number, Limited>()
  #nextEndMs = Number.POSITIVE_INFINITY

  constructor(sources: Sources) {
    this.#sources = sources
  }

  see(observation: Observation, _: Surroundings, violate: Violate): void {
    const { chronicle } = this.#sources
    chronicle.see(observation)
    this.#late.see(observation)
    if (observation.atMs > this.#nextEndMs) this.#judge(observation.atMs, violate)
    switch (observation.type) {
      case 'handlerStarted': {
        const { atMs, node, id, run } = observation
        const limitMs = chronicle.tasks.get(id)?.options.timeLimitMs ?? 0
        if (limitMs === 0) break
        this.#running.set(run, { id, node, limitMs, atMs })
        this.#nextEndMs = Math.min(this.#nextEndMs, atMs + limitMs + TIMER_MS)
        break
      }
      case 'handlerAborted':
        this.#aborted(observation, violate)
        this.#running.delete(observation.run)
        break
      case 'handlerEnded':
        this.#running.delete(observation.run)
        break
      case 'nodeStopped':
        for (const [run, { node }] of this.#running) if (node === observation.node) this.#running.delete(run)
        break
      default:
    }
  }

  #aborted({ atMs, node, id, run, reason }: ObservationOf<'handlerAborted'>, violate: Violate): void {
    if (!reason.startsWith(REASON)) return
    const limited = this.#running.get(run)
    if (limited && atMs >= limited.atMs + limited.limitMs - TIMER_MS) return
    const limit = limited ? `after ${atMs - limited.atMs} ms of ${limited.limitMs}` : 'and has none'
    // A record that is gone, or that a loss of power has taken, tells nothing.
    if (limited || this.#sources.chronicle.tasks.has(id))
      violate(`${node} stopped task ${id} for its time limit ${limit}`, { ids: [id], nodes: [node] })
  }

  #judge(nowMs: number, violate: Violate): void {
    this.#nextEndMs = Number.POSITIVE_INFINITY
    for (const [run, { id, node, limitMs, atMs }] of this.#running) {
      const endMs = atMs + limitMs + TIMER_MS
      if (nowMs <= endMs) this.#nextEndMs = Math.min(this.#nextEndMs, endMs)
      else if (!this.#late.wasLate(node)) {
        this.#running.delete(run)
        violate(`${node} runs task ${id} for more than ${limitMs} ms, which is its time limit`, {
          ids: [id],
          nodes: [node],
        })
      }
    }
  }
}
