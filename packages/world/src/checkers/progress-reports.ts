import type { ClientMessage } from '@sluice/protocol'
import type { Checker, Observation, ObservationOf, Surroundings, Violate } from '../observation.ts'
import { LateNodes } from './late-nodes.ts'
import { isHonest, workerGroupOf } from './population.ts'
import type { Progress } from './progress.ts'
import type { Sources } from './sources.ts'
import { WelcomedConnections } from './welcomed-connections.ts'

/** The shortest time between two reports of the same worker. */
const INTERVAL_MS = 100
/** Timers are not exact, and things that happen at one time may be told one after the other. */
const MOMENT_MS = 3

/** A handler that reports regularly. */
interface Reporting {
  readonly node: string
  readonly lease: number
  readonly id: string
  readonly run: number
  readonly sinceMs: number
  readonly everyMs: number
  /** When its progress was last passed on, or could be passed on again. */
  passedOnMs: number
}

/**
 * A worker passes on what its handlers report: the newest value, soon, at most ten times a second, and nothing for a
 * lease that it has answered or lost.
 */
export class ProgressReports implements Checker {
  readonly rule = 'CLIENT-7'
  readonly #sources: Sources
  readonly #late = new LateNodes()
  /** By lease, and by run. */
  readonly #reporting = new Map<number, Reporting>()
  readonly #byRun = new Map<number, Reporting>()
  /** Leases that are answered or lost: since when, and which node held them. */
  readonly #over = new Map<number, { node: string; atMs: number }>()
  readonly #open = new WelcomedConnections()
  readonly #lastMs = new Map<string, number>()
  #nextDueMs = Number.POSITIVE_INFINITY

  constructor(sources: Sources) {
    this.#sources = sources
  }

  see(observation: Observation, _: Surroundings, violate: Violate): void {
    this.#sources.runs.see(observation)
    this.#late.see(observation)
    if (observation.atMs > this.#nextDueMs) this.#judge(observation.atMs, violate)
    this.#open.see(observation)
    switch (observation.type) {
      case 'nodeStopped':
        this.#forget(observation.node)
        break
      case 'handlerStarted':
        this.#started(observation)
        break
      case 'handlerAborted':
      case 'handlerEnded': {
        const ended = this.#byRun.get(observation.run)
        if (ended) this.#end(ended)
        break
      }
      case 'heardByNode':
        this.#heard(observation)
        break
      case 'sentToBroker':
        if (isHonest(this.#sources.scenario, observation.node)) this.#said(observation, observation.message, violate)
        break
      default:
    }
  }

  #started({ atMs, node, id, queue, run }: ObservationOf<'handlerStarted'>): void {
    const { scenario, runs } = this.#sources
    const service = workerGroupOf(scenario, node)?.service ?? {}
    const everyMs = (service[queue] ?? service['*'])?.progressEveryMs
    const lease = runs.leaseOf(run)
    if (everyMs === undefined || lease === undefined || !isHonest(scenario, node)) return
    const reporting = { node, lease, id, run, sinceMs: atMs, everyMs, passedOnMs: atMs }
    this.#reporting.set(lease, reporting)
    this.#byRun.set(run, reporting)
    this.#nextDueMs = Math.min(this.#nextDueMs, dueMs(reporting))
  }

  #end({ lease, run }: Reporting): void {
    this.#reporting.delete(lease)
    this.#byRun.delete(run)
  }

  #heard({ atMs, node, message }: ObservationOf<'heardByNode'>): void {
    switch (message.type) {
      case 'welcome':
        for (const reporting of this.#reporting.values()) {
          if (reporting.node !== node) continue
          reporting.passedOnMs = atMs
          this.#nextDueMs = Math.min(this.#nextDueMs, dueMs(reporting))
        }
        this.#finish(node, message.lostLeases, atMs)
        break
      case 'deliver':
        // If even durable data is lost, lease numbers may start again.
        for (const lease of message.leases) this.#over.delete(lease)
        break
      case 'revoke':
        this.#finish(node, message.leases, atMs)
        break
      case 'renewed':
        this.#finish(node, message.lost, atMs)
        break
      default:
    }
  }

  #finish(node: string, leases: readonly number[], atMs: number): void {
    for (const lease of leases) this.#over.set(lease, { node, atMs })
  }

  #said({ atMs, node }: ObservationOf<'sentToBroker'>, message: ClientMessage, violate: Violate): void {
    switch (message.type) {
      case 'reportProgress':
        for (const { lease, progress } of message.updates)
          this.#passedOn({ atMs, node, lease, progress: progress as Progress }, violate)
        break
      case 'complete':
      case 'release':
        this.#finish(node, message.leases, atMs - MOMENT_MS)
        break
      case 'fail':
        this.#finish(
          node,
          message.failures.map(({ lease }) => lease),
          atMs - MOMENT_MS,
        )
        break
      default:
    }
  }

  #passedOn(
    { atMs, node, lease, progress }: { atMs: number; node: string; lease: number; progress: Progress },
    violate: Violate,
  ): void {
    const over = this.#over.get(lease)
    if (over?.node === node && atMs >= over.atMs + MOMENT_MS)
      violate(`${node} reports progress under lease ${lease}, which it has answered or lost`, { nodes: [node] })
    const reporting = this.#reporting.get(lease)
    // The last values of a handler leave with its answer, whenever that is.
    if (reporting?.node !== node) return
    const about = { ids: [reporting.id], nodes: [node] }
    reporting.passedOnMs = atMs
    const lastMs = this.#lastMs.get(node) ?? Number.NEGATIVE_INFINITY
    this.#lastMs.set(node, atMs)
    if (atMs > lastMs && atMs < lastMs + INTERVAL_MS - MOMENT_MS)
      violate(`${node} reports progress again after ${atMs - lastMs} ms`, about)
    if (this.#late.wasLate(node)) return
    const step = 1 + Math.floor((atMs - reporting.sinceMs - MOMENT_MS) / reporting.everyMs)
    if (progress.run !== reporting.run)
      violate(`${node} reports progress of run ${progress.run} under the lease of run ${reporting.run}`, about)
    else if (progress.step < step)
      violate(`${node} reports step ${progress.step} of task ${reporting.id}, which is at step ${step}`, about)
  }

  #judge(nowMs: number, violate: Violate): void {
    this.#nextDueMs = Number.POSITIVE_INFINITY
    for (const reporting of this.#reporting.values()) {
      const { node, id, passedOnMs } = reporting
      if (!this.#open.has(node) || this.#late.wasLate(node)) continue
      if (nowMs <= dueMs(reporting)) {
        this.#nextDueMs = Math.min(this.#nextDueMs, dueMs(reporting))
        continue
      }
      reporting.passedOnMs = Number.POSITIVE_INFINITY
      violate(`${node} has passed on no progress of task ${id} for ${nowMs - passedOnMs} ms`, {
        ids: [id],
        nodes: [node],
      })
    }
  }

  #forget(node: string): void {
    this.#lastMs.delete(node)
    for (const reporting of [...this.#byRun.values()]) if (reporting.node === node) this.#end(reporting)
    for (const [lease, { node: holder }] of this.#over) if (holder === node) this.#over.delete(lease)
  }
}

function dueMs({ passedOnMs, everyMs }: Reporting): number {
  return passedOnMs + everyMs + INTERVAL_MS + MOMENT_MS
}
