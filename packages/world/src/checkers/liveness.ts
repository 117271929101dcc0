import type { Awaited, Checker, Observation, ObservationOf, Surroundings, Violate } from '../observation.ts'
import { isOutcome } from './chronicle.ts'
import type { Sources } from './sources.ts'

/** At most this many are named one by one. */
const NAMED_MAX = 5
/** A request over HTTP that was made this long before the end of the calm has had enough time. */
const REQUEST_MS = 10_000

/** A submission, and its result as far as its submitter knows. */
interface Asked {
  readonly node: string
  readonly id: string
  readonly queue: string
  readonly atMs: number
  heard: { what: string; atMs: number } | undefined
  isAnswered: boolean
}

/**
 * Once faults have stopped, every accepted task gets an outcome within the scenario's `settleMs`, and every
 * submission of a producer that is still there is answered. When all have left, no timer and no connection remains.
 */
export class Liveness implements Checker {
  readonly rule = 'WORLD-1'
  readonly #sources: Sources
  /** By submitter and id. */
  readonly #asked = new Map<string, Asked>()
  /** Tasks that were named at the end of the calm. */
  readonly #named = new Set<string>()
  /** When tasks were accepted, and when workers left for good, in world time. */
  readonly #acceptedAtMs = new Map<string, number>()
  readonly #leftAtMs = new Map<string, number>()

  constructor(sources: Sources) {
    this.#sources = sources
  }

  see(observation: Observation, _: Surroundings, violate: Violate): void {
    this.#sources.wire.see(observation)
    for (const { fact } of this.#sources.chronicle.see(observation))
      if (fact.type === 'taskAccepted') this.#acceptedAtMs.set(fact.id, observation.atMs)
    switch (observation.type) {
      case 'submitting': {
        const { node, id, queue, atMs } = observation
        const heard = this.#asked.get(`${node} ${id}`)?.heard
        this.#asked.set(`${node} ${id}`, { node, id, queue, atMs, heard, isAnswered: false })
        break
      }
      case 'accepted':
      case 'refused':
      case 'outcome':
      case 'outcomeUnknown':
        this.#heard(observation)
        break
      case 'nodeStarted':
        this.#leftAtMs.delete(observation.node)
        break
      case 'nodeStopped':
        if (observation.how === 'left' && observation.node.startsWith('worker-'))
          this.#leftAtMs.set(observation.node, observation.atMs)
        for (const asked of this.#asked.values()) {
          // A request over HTTP ends with the broker that received it.
          const isOver = asked.node === observation.node || (asked.node === 'operator' && observation.node === 'broker')
          if (isOver) asked.isAnswered = true
        }
        break
      case 'calmEnded':
        this.#judgeCalm(observation, violate)
        break
      case 'worldEnded': {
        const { timers, connections } = observation
        if (timers > 0) violate(`${timers} timers are left behind`, {}, 'WORLD-2')
        if (connections > 0) violate(`${connections} connections are left behind`, {}, 'WORLD-2')
        break
      }
      default:
    }
  }

  finish(_: Surroundings, violate: Violate): void {
    // What is accepted while everyone is leaving stays for the next time.
    const leftAtMs = Math.min(...this.#leftAtMs.values())
    const unfinished = [...this.#sources.chronicle.tasks.values()].filter(
      ({ id, state }) => !isOutcome(state) && (this.#acceptedAtMs.get(id) ?? 0) < leftAtMs && !this.#named.has(id),
    )
    for (const { id, state } of unfinished.slice(0, NAMED_MAX))
      violate(`task ${id} is ${state} in the end`, { ids: [id] })
    for (const { id, node } of [...this.#asked.values()].filter(({ isAnswered }) => !isAnswered).slice(0, NAMED_MAX))
      violate(`${node} never heard what became of its submission of ${id}`, { ids: [id], nodes: [node] })
  }

  #heard(observation: ObservationOf<'accepted' | 'refused' | 'outcome' | 'outcomeUnknown'>): void {
    const asked = this.#asked.get(`${observation.node} ${observation.id}`)
    if (!asked) return
    asked.isAnswered = true
    asked.heard = { what: wordsOf(observation), atMs: observation.atMs }
  }

  #judgeCalm({ atMs, unfinished, waiting }: ObservationOf<'calmEnded'>, violate: Violate): void {
    for (const id of unfinished.slice(0, NAMED_MAX)) {
      this.#named.add(id)
      violate(`task ${id} has no outcome after all faults have ended: ${this.#taskText(id)}`, { ids: [id] })
    }
    if (unfinished.length > NAMED_MAX)
      violate(`${unfinished.length - NAMED_MAX} more tasks have no outcome after all faults have ended`, {})
    for (const awaited of waiting.slice(0, NAMED_MAX)) {
      const { node, id } = awaited
      violate(this.#waitingText(awaited), { ids: [id], nodes: [node] })
    }
    if (waiting.length > NAMED_MAX)
      violate(`${waiting.length - NAMED_MAX} more are waited for after all faults have ended`, {})
    for (const { node, id, isAnswered, ...asked } of this.#asked.values())
      if (node === 'operator' && !isAnswered && atMs - asked.atMs > REQUEST_MS)
        violate(`${node} submitted task ${id} at ${secondsOf(asked.atMs)} and has no answer`, { ids: [id] })
  }

  #waitingText({ node, id, what }: Awaited): string {
    const asked = this.#asked.get(`${node} ${id}`)
    const of = what === 'submission' ? 'what becomes of task' : `the answer to its ${what} of task`
    const submitted = asked ? `, submitted to ${asked.queue} at ${secondsOf(asked.atMs)}` : ''
    const heard = asked?.heard ? `last heard at ${secondsOf(asked.heard.atMs)}: ${asked.heard.what}` : 'heard nothing'
    return `${node} still waits for ${of} ${id}${submitted}; it ${heard}; ${this.#taskText(id)}`
  }

  /** Where a task is, according to what is durable. */
  #taskText(id: string): string {
    const { chronicle, wire } = this.#sources
    const task = chronicle.tasks.get(id)
    if (!task) return chronicle.wasAccepted(id) ? 'its record is gone' : 'it was never accepted'
    const { state, queue, attempts } = task
    if (state !== 'leased') return `it is ${state} in ${queue}, after ${attempts} attempts`
    const holder = wire.leases.get(task.lease as number)?.node ?? 'somebody who was never told'
    return `it is leased from ${queue} by ${holder}, attempt ${attempts}`
  }
}

function wordsOf(heard: ObservationOf<'accepted' | 'refused' | 'outcome' | 'outcomeUnknown'>): string {
  switch (heard.type) {
    case 'accepted':
      return 'accepted'
    case 'refused':
      return `refused, ${heard.error.code}`
    case 'outcome':
      return heard.status
    case 'outcomeUnknown':
      return `no outcome, ${heard.code}`
  }
}

function secondsOf(ms: number): string {
  return `${(ms / 1000).toFixed(3)} s`
}
