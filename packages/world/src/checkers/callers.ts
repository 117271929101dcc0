import type { Checker, Observation, ObservationOf, Surroundings, Violate } from '../observation.ts'
import { isStranger, producerGroupOf } from './population.ts'
import type { Sources } from './sources.ts'

/** How long a client that closes waits for answers. */
const DRAIN_MS = 5000
/** Timers are not exact, and things that happen at one time may be told one after the other. */
const MOMENT_MS = 3

/**
 * A client tells its program what the broker told the client: how a task ended, why it failed, whether it was
 * cancelled, and that there is no room if the program asked for that. A client that closes waits for answers that it
 * still expects.
 */
export class Callers implements Checker {
  readonly rule = 'CLIENT-12'
  readonly #sources: Sources
  /** The questions, by connection and ref. */
  readonly #asked = new Map<string, { type: 'submit' | 'cancel'; ids: readonly string[] }>()
  /** All verdicts on cancellations and all failures of tasks that were heard, by node and task. */
  readonly #cancelled = new Map<string, Set<string>>()
  readonly #failures = new Map<string, Set<string>>()
  /** Calls that have not returned, by node and task. */
  readonly #calls = new Map<string, number>()
  /** Refusals that programs must be told, by node and task: since when. */
  readonly #due = new Map<string, { node: string; id: string; atMs: number }>()
  readonly #leavingSinceMs = new Map<string, number>()

  constructor(sources: Sources) {
    this.#sources = sources
  }

  see(observation: Observation, _: Surroundings, violate: Violate): void {
    this.#sources.wire.see(observation)
    if (this.#due.size > 0) this.#judge(observation.atMs, violate)
    switch (observation.type) {
      case 'faultStarted':
        if (observation.fault.type === 'restart') this.#leavingSinceMs.set(observation.fault.node, observation.atMs)
        break
      case 'nodeStarted':
        this.#leavingSinceMs.delete(observation.node)
        break
      case 'nodeStopped':
        for (const key of this.#calls.keys()) if (key.startsWith(`${observation.node} `)) this.#calls.delete(key)
        for (const [key, { node }] of this.#due) if (node === observation.node) this.#due.delete(key)
        break
      case 'submitting':
        this.#count(observation, 1)
        break
      case 'accepted':
        this.#count(observation, -1)
        break
      case 'refused':
        this.#refused(observation, violate)
        break
      case 'outcomeUnknown':
        // Nobody waits for the answer any more.
        if (observation.code === 'gaveUp') this.#calls.delete(keyOf(observation))
        this.#due.delete(keyOf(observation))
        break
      case 'cancelAnswered':
        this.#answered(observation, violate)
        break
      case 'outcome':
        if (observation.status === 'dead') this.#ended(observation, violate)
        break
      case 'sentToBroker': {
        const { connection, message } = observation
        if (message.type === 'submit' || message.type === 'cancel')
          this.#asked.set(`${connection} ${message.ref}`, { type: message.type, ids: message.ids })
        break
      }
      case 'heardByNode':
        if (!isStranger(observation.node)) this.#heard(observation)
        break
      default:
    }
  }

  #count(seen: { node: string; id: string }, by: 1 | -1): void {
    const calls = (this.#calls.get(keyOf(seen)) ?? 0) + by
    if (calls > 0) this.#calls.set(keyOf(seen), calls)
    else this.#calls.delete(keyOf(seen))
  }

  #heard(heard: ObservationOf<'heardByNode'>): void {
    const { atMs, node, connection, message } = heard
    if (message.type === 'ended') {
      for (const { id, error } of this.#sources.wire.outcomesIn(heard))
        addTo(this.#failures, `${node} ${id}`, error?.message)
      return
    }
    if (message.type !== 'submitted' && message.type !== 'cancelled') return
    const key = `${connection} ${message.ref}`
    const ids = this.#asked.get(key)?.ids ?? []
    this.#asked.delete(key)
    if (message.type === 'cancelled') {
      const codes = new Map(message.refused.map(({ index, error }) => [index, error.code]))
      for (const [index, id] of ids.entries()) addTo(this.#cancelled, `${node} ${id}`, codes.get(index) ?? 'cancelled')
      return
    }
    if (producerGroupOf(this.#sources.scenario, node)?.onBusy !== 'giveUp') return
    for (const { index, error } of message.refused) {
      const id = ids[index] ?? ''
      if (error.code === 'busy' && this.#calls.has(`${node} ${id}`)) this.#due.set(`${node} ${id}`, { node, id, atMs })
    }
  }

  #refused({ atMs, node, id, error }: ObservationOf<'refused'>, violate: Violate): void {
    this.#count({ node, id }, -1)
    this.#due.delete(`${node} ${id}`)
    const group = producerGroupOf(this.#sources.scenario, node)
    const about = { ids: [id], nodes: [node] }
    if (error.code === 'busy' && group && group.onBusy !== 'giveUp' && !group.resubmits)
      violate(`${node} was to wait for room for task ${id} and was told that there is none`, about)
    const sinceMs = this.#leavingSinceMs.get(node)
    if (error.code === 'closed' && sinceMs !== undefined && atMs < sinceMs + DRAIN_MS - MOMENT_MS)
      violate(`${node} left task ${id} without an answer ${atMs - sinceMs} ms after it was to close`, about)
  }

  #answered({ node, id, code }: ObservationOf<'cancelAnswered'>, violate: Violate): void {
    if (!producerGroupOf(this.#sources.scenario, node)) return
    if (!this.#cancelled.get(`${node} ${id}`)?.has(code))
      violate(`${node} was told ${code} of its cancellation of task ${id}, and its client was not`, {
        ids: [id],
        nodes: [node],
      })
  }

  #ended(observation: Extract<ObservationOf<'outcome'>, { status: 'dead' }>, violate: Violate): void {
    const { node, id, failure } = observation
    const heard = this.#failures.get(`${node} ${id}`)
    if (heard && !heard.has(failure?.message ?? ''))
      violate(`${node} was told that task ${id} failed of ${failure?.message ?? 'nothing'}, and its client was not`, {
        ids: [id],
        nodes: [node],
      })
  }

  #judge(nowMs: number, violate: Violate): void {
    for (const [key, { node, id, atMs }] of this.#due) {
      if (nowMs <= atMs + MOMENT_MS) continue
      this.#due.delete(key)
      violate(`${node} wants to know when there is no room, and was not told so of task ${id}`, {
        ids: [id],
        nodes: [node],
      })
    }
  }
}

function keyOf({ node, id }: { node: string; id: string }): string {
  return `${node} ${id}`
}

function addTo(all: Map<string, Set<string>>, key: string, value = ''): void {
  const values = all.get(key)
  if (values) values.add(value)
  else all.set(key, new Set([value]))
}
