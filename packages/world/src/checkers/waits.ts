import { isFinished, type State } from '@sluice/engine'
import type { Checker, Observation, ObservationOf, Surroundings, Violate } from '../observation.ts'
import { Calm } from './calm.ts'
import { isOutcome } from './chronicle.ts'
import type { Sources } from './sources.ts'

/** How late an undisturbed broker may be. */
const SLACK_MS = 300

interface Wait {
  readonly node: string
  readonly id: string
  readonly request: number
  readonly ms: number
  readonly sinceMs: number
  /** The same by the broker's clock. */
  readonly sinceBrokerMs: number
  /** When the outcome may be told at the earliest. */
  endedAtMs: number | undefined
  /** When it must be told. An outcome from before the wait need not be: the task has been redriven. */
  dueAtMs: number
}

/**
 * A wait for an outcome over HTTP is answered when there is an outcome or when the time is over: not before, and not
 * much later.
 */
export class Waits implements Checker {
  readonly rule = 'HTTP-2'
  readonly #sources: Sources
  readonly #calm = new Calm()
  #waits: Wait[] = []
  #isLeaving = false

  constructor(sources: Sources) {
    this.#sources = sources
  }

  see(observation: Observation, { state, held, brokerMs = 0 }: Surroundings, violate: Violate): void {
    this.#calm.see(observation)
    const { chronicle } = this.#sources
    for (const { fact, before, after } of chronicle.see(observation)) {
      if (!('id' in fact) || !after || !isOutcome(after.state) || before === after) continue
      for (const wait of this.#waits) {
        if (wait.id !== fact.id) continue
        wait.endedAtMs ??= observation.atMs
        if (fact.atMs > wait.sinceBrokerMs) wait.dueAtMs = Math.min(wait.dueAtMs, observation.atMs)
      }
    }
    switch (observation.type) {
      case 'waiting': {
        const { node, id, request, ms, atMs } = observation
        const task = state?.tasks.get(id)
        const isOver = !task || isFinished(task)
        const [endedAtMs, dueAtMs] = isOver ? [atMs, atMs] : [undefined, atMs + ms]
        this.#waits.push({ node, id, request, ms, sinceMs: atMs, sinceBrokerMs: brokerMs, endedAtMs, dueAtMs })
        break
      }
      case 'waited':
        this.#waited(observation, state, violate)
        if (held && held.waiters > this.#waits.length)
          violate(
            `the broker counts ${held.waiters} who wait for an outcome, and there are ${this.#waits.length}`,
            {},
            'HOST-12',
          )
        break
      case 'faultStarted':
        this.#isLeaving ||= observation.fault.type === 'restart' && observation.fault.node === 'broker'
        break
      case 'calmEnded':
        this.#isLeaving = true
        break
      case 'sentByBroker':
        this.#isLeaving ||= observation.message.type === 'drain'
        break
      case 'nodeStarted':
      case 'nodeStopped':
        if (observation.node !== 'broker') break
        this.#waits = []
        this.#isLeaving = false
        break
      default:
    }
    if (this.#waits.length > 0) this.#judge(observation.atMs, violate)
  }

  #waited(
    { node, id, request, code, atMs }: ObservationOf<'waited'>,
    state: State | undefined,
    violate: Violate,
  ): void {
    const wait = this.#waits.find((one) => one.node === node && one.request === request)
    this.#waits = this.#waits.filter((one) => one !== wait)
    const task = state?.tasks.get(id)
    // The task may have ended and been redriven in between.
    if (!wait || code !== undefined || this.#isLeaving || wait.endedAtMs !== undefined || !task || isFinished(task))
      return
    if (atMs < wait.sinceMs + wait.ms)
      violate(`${node} waited ${atMs - wait.sinceMs} of ${wait.ms} ms for task ${id}, which is ${task.phase.state}`, {
        ids: [id],
        nodes: [node],
      })
  }

  #judge(nowMs: number, violate: Violate): void {
    this.#waits = this.#waits.filter(({ node, id, dueAtMs }) => {
      if (nowMs - dueAtMs <= SLACK_MS || this.#calm.lastedMs(nowMs, dueAtMs) <= SLACK_MS) return true
      violate(`${node} still waits for task ${id}, ${nowMs - dueAtMs} ms after it was to be answered`, {
        ids: [id],
        nodes: [node],
      })
      return false
    })
  }
}
