import type { EngineConfig } from '@sluice/engine'
import type { Checker, Observation, ObservationOf, Surroundings, Violate } from '../observation.ts'
import { isOutcome, type Step, type TaskView } from './chronicle.ts'
import { boundsOf } from './population.ts'
import type { Sources } from './sources.ts'

/** How much later than its time a record may be dropped while nothing disturbs the broker. */
const SLACK_MS = 5000
/** Times are fractions of a ms, and sums of them are rounded. */
const ROUNDING_MS = 0.01
/** After this many batches, an event that needs no write of its own has been written with another one. */
const BATCHES_OF_GRACE = 3

/** The records of a queue in the order in which they were made, and when. */
interface Kept {
  readonly finished: Map<string, number>
  readonly dead: Map<string, number>
}

/**
 * The record of an outcome is kept for its time, and questions find it. It is dropped early only if its queue has too
 * many, and then the oldest first. When its time is over it is dropped.
 */
export class Records implements Checker {
  readonly rule = 'RESULT-3'
  readonly #sources: Sources
  readonly #engine: EngineConfig
  readonly #queues = new Map<string, Kept>()
  /** Bytes of the results that are kept. */
  readonly #resultBytes = new Map<string, number>()
  /** In world time: when each outcome was heard of, and when the broker was last disturbed. */
  readonly #endedAtMs = new Map<string, number>()
  #heldUpAtMs = 0
  #nowMs = 0
  #isClockSet = false
  #isUp = false
  /** Tasks that were held when the broker was asked for them, by connection and ref. */
  readonly #asked = new Map<string, ReadonlyMap<string, TaskView>>()
  /**
   * Tasks that were reported unknown although they are held as far as was written. Their removal may be on its way to
   * the journal.
   */
  #doubtful: { task: TaskView; node: string; batches: number }[] = []

  constructor(sources: Sources) {
    this.#sources = sources
    this.#engine = boundsOf(sources.scenario).engine
  }

  see(observation: Observation, _: Surroundings, violate: Violate): void {
    const { chronicle, wire } = this.#sources
    this.#nowMs = observation.atMs
    const steps = chronicle.see(observation)
    wire.see(observation)
    if (chronicle.isRetold) this.#queues.clear()
    for (const step of steps) this.#step(step, observation.atMs, violate)
    switch (observation.type) {
      case 'faultStarted':
        if (observation.fault.type === 'clockJump') this.#isClockSet ||= observation.fault.node === 'broker'
        this.#heldUpAtMs = observation.atMs
        break
      case 'faultEnded':
        this.#heldUpAtMs = observation.atMs
        break
      case 'recovered':
        this.#heldUpAtMs = observation.atMs
        this.#doubtful = []
        break
      case 'appended':
        for (const doubtful of this.#doubtful) doubtful.batches += 1
        this.#resolve(violate, BATCHES_OF_GRACE)
        break
      case 'nodeStarted':
      case 'nodeStopped':
        if (observation.node !== 'broker') break
        this.#isUp = observation.type === 'nodeStarted'
        this.#heldUpAtMs = observation.atMs
        this.#asked.clear()
        break
      case 'heardByBroker':
        this.#heard(observation)
        break
      case 'sentByBroker':
        this.#sent(observation)
        break
      default:
    }
  }

  finish(_: Surroundings, violate: Violate): void {
    this.#resolve(violate, 0)
    if (this.#isClockSet) return
    for (const task of this.#sources.chronicle.tasks.values()) {
      const endedAtMs = this.#endedAtMs.get(task.id)
      if (!isOutcome(task.state) || endedAtMs === undefined) continue
      const dueAtMs = Math.max(endedAtMs + this.#ttlOf(task), this.#heldUpAtMs) + SLACK_MS
      if (this.#isUp && this.#nowMs > dueAtMs)
        violate(
          `the record of task ${task.id} is still there ${this.#nowMs - endedAtMs} ms after its outcome`,
          { ids: [task.id] },
          timeRule(task),
        )
    }
  }

  #step({ fact, before, after }: Step, atMs: number, violate: Violate): void {
    if (!('id' in fact) || before === after) return
    const about = { ids: [fact.id] }
    if (before && isOutcome(before.state)) {
      const kept = this.#listOf(before)
      if (fact.type === 'taskForgotten') {
        const max = before.state === 'dead' ? this.#engine.queueDeadMax : this.#engine.queueResultsMax
        const [[first, firstAtMs]] = kept as unknown as [[string, number]]
        const finishedAtMs = kept.get(fact.id) ?? 0
        if (!fact.isEarly && fact.atMs < (before.forgetAtMs ?? 0) - ROUNDING_MS)
          violate(
            `the record of task ${fact.id} went ${(before.forgetAtMs ?? 0) - fact.atMs} ms too soon`,
            about,
            timeRule(before),
          )
        if (fact.isEarly && kept.size <= max && !this.#isFullOfBytes(kept))
          violate(
            `the record of task ${fact.id} went early, and ${before.queue} kept only ${kept.size} of ${max}`,
            about,
            boundRule(before),
          )
        if (fact.isEarly && firstAtMs < finishedAtMs && !this.#isClockSet)
          violate(`the record of task ${fact.id} went early, and that of ${first} is older`, about, boundRule(before))
      }
      kept.delete(fact.id)
      this.#resultBytes.delete(fact.id)
    }
    if (after && isOutcome(after.state)) {
      this.#listOf(after).set(fact.id, fact.atMs)
      this.#resultBytes.set(fact.id, after.resultBytes ?? 0)
      this.#endedAtMs.set(fact.id, atMs)
      const ttlMs = (after.forgetAtMs ?? 0) - fact.atMs
      if (Math.abs(ttlMs - this.#ttlOf(after)) > ROUNDING_MS)
        violate(
          `the record of task ${fact.id} is to be kept ${ttlMs} ms and not ${this.#ttlOf(after)}`,
          about,
          timeRule(after),
        )
    }
  }

  /** Whether the kept results exceed their bound in bytes. */
  #isFullOfBytes(kept: ReadonlyMap<string, number>): boolean {
    let bytes = 0
    for (const id of kept.keys()) bytes += this.#resultBytes.get(id) ?? 0
    return bytes > this.#engine.queueResultBytesMax
  }

  #heard({ connection, message }: ObservationOf<'heardByBroker'>): void {
    if (message.type !== 'watch' && message.type !== 'query' && message.type !== 'cancel') return
    const held = new Map<string, TaskView>()
    for (const id of message.ids) {
      const task = this.#sources.chronicle.tasks.get(id)
      if (task) held.set(id, task)
    }
    this.#asked.set(`${connection} ${message.ref}`, held)
  }

  #sent(observation: ObservationOf<'sentByBroker'>): void {
    const { node, connection, message } = observation
    if (message.type !== 'watched' && message.type !== 'status' && message.type !== 'cancelled') return
    const request = this.#sources.wire.requestOf(observation)
    const held = this.#asked.get(`${connection} ${message.ref}`)
    if (!held || !request || !('ids' in request)) return
    const unknown =
      message.type === 'status'
        ? message.tasks.filter(({ state }) => state === 'unknown').map(({ id }) => id)
        : message.type === 'watched'
          ? message.unknown.map((index) => request.ids[index])
          : message.refused.filter(({ error }) => error.code === 'unknown_task').map(({ index }) => request.ids[index])
    for (const id of unknown) {
      const task = this.#sources.chronicle.tasks.get(id as string)
      if (task && task.seq === held.get(id as string)?.seq) this.#doubtful.push({ task, node, batches: 0 })
    }
  }

  #resolve(violate: Violate, batchesMin: number): void {
    if (this.#doubtful.length === 0) return
    this.#doubtful = this.#doubtful.filter(({ task: { id, seq }, node, batches }) => {
      const now = this.#sources.chronicle.tasks.get(id)
      if (now?.seq !== seq) return false
      if (batches < batchesMin) return true
      violate(`${node} was told that task ${id} is not known, which is ${now.state}`, { ids: [id], nodes: [node] })
      return false
    })
  }

  #ttlOf({ state, options }: TaskView): number {
    return state === 'dead' ? this.#engine.deadTtlMs : options.resultTtlMs
  }

  #listOf({ queue, state }: TaskView): Map<string, number> {
    let kept = this.#queues.get(queue)
    if (!kept) {
      kept = { finished: new Map(), dead: new Map() }
      this.#queues.set(queue, kept)
    }
    return state === 'dead' ? kept.dead : kept.finished
  }
}

/** Names the rule by which a record is kept for its time. */
function timeRule({ state }: TaskView): string {
  return state === 'dead' ? 'DEAD-3' : 'RESULT-3'
}

/** Names the rule by which a record is dropped early. */
function boundRule({ state }: TaskView): string {
  return state === 'dead' ? 'DEAD-3' : 'RESULT-4'
}
