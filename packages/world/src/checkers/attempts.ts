import type { FailedLease } from '@sluice/protocol'
import type { FactOf } from '../journal/facts.ts'
import { deliveredItems } from '../message-items.ts'
import type { Checker, Observation, Surroundings, Violate } from '../observation.ts'
import { attemptsAllowed, type TaskView } from './chronicle.ts'
import { boundsOf } from './population.ts'
import type { Sources } from './sources.ts'

/** Times are fractions of a ms, and differences of them are rounded. */
const ROUNDING_MS = 0.01
/** This many jittered delays of at least this length are not all the longest by chance. */
const JITTERED_MIN = 5
const JITTERED_MS_MIN = 20

/**
 * A task is tried at most `attemptsAllowed` times, and its attempts are numbered without a gap. Handing back costs no
 * attempt up to `releasesMax` times. After a failed attempt the task waits as long as the policy or the worker says.
 */
export class Attempts implements Checker {
  readonly rule = 'RETRY-1'
  readonly #sources: Sources
  readonly #releasesMax: number
  /** What workers said of failed leases, by session and lease. The first message counts. */
  readonly #failures = new Map<string, FailedLease>()
  /** Attempts as they were told, by lease, in this life of the broker. */
  readonly #told = new Map<number, number>()
  /** For fully jittered delays: how many there were, and how many were as long as possible. */
  #jittered = 0
  #longest = 0

  constructor(sources: Sources) {
    this.#sources = sources
    this.#releasesMax = boundsOf(sources.scenario).engine.releasesMax
  }

  see(observation: Observation, _: Surroundings, violate: Violate): void {
    const { chronicle, wire } = this.#sources
    const steps = chronicle.see(observation)
    wire.see(observation)
    chronicle.forgetLost(this.#failures)
    if (observation.type === 'heardByBroker' && observation.message.type === 'fail') {
      const { session } = wire.connectionOf(observation)
      for (const failure of observation.message.failures) {
        const key = `${session} ${failure.lease}`
        if (!this.#failures.has(key)) this.#failures.set(key, failure)
      }
    }
    if (observation.type === 'sentByBroker' && observation.message.type === 'deliver') {
      for (const { id, lease, attempt } of deliveredItems(observation.message)) {
        this.#told.set(lease, attempt)
        const made = chronicle.leases.get(lease)?.attempt ?? attempt
        if (made !== attempt)
          violate(`task ${id} was delivered as attempt ${attempt}, and it is attempt ${made}`, { ids: [id] })
      }
    }
    if (observation.type === 'recovered') this.#told.clear()
    if (chronicle.isRetold) return
    for (const { fact, before, after } of steps) {
      if (!before) continue
      const about = { ids: [before.id] }
      switch (fact.type) {
        case 'leaseGranted': {
          const attempt = before.attempts + 1
          const told = this.#told.get(fact.lease) ?? attempt
          if (told !== attempt)
            violate(`task ${before.id} was delivered as attempt ${told}, and it is attempt ${attempt}`, about)
          if (attempt > attemptsAllowed(before))
            violate(
              `task ${before.id} is tried ${attempt} times, at most ${attemptsAllowed(before)} are allowed`,
              about,
            )
          break
        }
        case 'leaseReleased':
          if ((after?.releases ?? 0) > this.#releasesMax)
            violate(
              `task ${before.id} was handed back ${after?.releases} times without counting an attempt`,
              about,
              'LEASE-6',
            )
          if (fact.retryAtMs > fact.atMs) violate(`task ${before.id} waits though it was handed back`, about, 'LEASE-6')
          break
        case 'attemptFailed':
          this.#failed(before, fact, violate)
          break
        default:
      }
    }
    if (observation.type === 'handlerStarted') {
      const task = chronicle.tasks.get(observation.id)
      if (task && observation.attempt > attemptsAllowed(task))
        violate(`${observation.node} runs attempt ${observation.attempt} of task ${task.id}`, {
          ids: [task.id],
          nodes: [observation.node],
        })
    }
  }

  finish(_: Surroundings, violate: Violate): void {
    if (this.#jittered >= JITTERED_MIN && this.#longest === this.#jittered)
      violate(`all of ${this.#jittered} jittered delays were as long as their policies allow`, {}, 'RETRY-2')
  }

  #failed(task: TaskView, { attempt, retryAtMs, atMs }: FactOf<'attemptFailed'>, violate: Violate): void {
    const about = { ids: [task.id] }
    if (attempt.attempt !== task.attempts)
      violate(`attempt ${attempt.attempt} of task ${task.id} is on record, and ${task.attempts} was made`, about)
    if (task.attempts >= attemptsAllowed(task))
      violate(`task ${task.id} is tried again after ${task.attempts} attempts of ${attemptsAllowed(task)}`, about)
    const delayMs = retryAtMs - atMs
    const said = this.#failures.get(`${task.session} ${task.lease}`)
    if (attempt.how !== 'failed' || said === undefined) {
      // The attempt was lost with its worker, or the task was handed back too often. Only losses in a row make it wait.
      const dueMs = attempt.how === 'failed' ? 0 : lossDelayMs(task)
      if (Math.abs(delayMs - dueMs) > ROUNDING_MS)
        violate(`task ${task.id} waits ${delayMs} ms after a lost attempt, and has to wait ${dueMs}`, about, 'RETRY-4')
      return
    }
    if (said.retryable === false)
      violate(`task ${task.id} is tried again though its worker said not to`, about, 'DEAD-1')
    if (said.retryAfterMs === undefined && task.options.retry.jitter === 'full') {
      const [, longest] = delayRange(task)
      if (longest >= JITTERED_MS_MIN) {
        this.#jittered += 1
        if (delayMs >= longest) this.#longest += 1
      }
    }
    const [min, max] = said.retryAfterMs === undefined ? delayRange(task) : [said.retryAfterMs, said.retryAfterMs]
    if (delayMs < min - ROUNDING_MS || delayMs > max + ROUNDING_MS)
      violate(
        `task ${task.id} waits ${delayMs} ms after attempt ${task.attempts}, outside of ${min} to ${max}`,
        about,
        said.retryAfterMs === undefined ? 'RETRY-2' : 'RETRY-3',
      )
  }
}

/** How long a task waits that is lost once more: a second after the second loss in a row, twice as long after each further one. */
function lossDelayMs({ history, attempts }: TaskView): number {
  // The attempts of this life of it, in which nothing has been redriven.
  const before = attempts > 1 ? history.slice(1 - attempts) : []
  let losses = before.length - 1 - before.findLastIndex(({ how }) => how === 'failed')
  // Where nothing but losses is on record, others may have had no room.
  if (losses === history.length) losses = attempts - 1
  return losses === 0 ? 0 : Math.min(1000 * 2 ** (losses - 1), 60_000)
}

/** The shortest and the longest delay that a policy allows after this attempt. */
function delayRange({ options: { retry }, attempts }: TaskView): [number, number] {
  let capMs = retry.delayMs
  if (retry.kind === 'exponential')
    for (let step = 1; step < attempts && capMs < retry.delayMsMax; step += 1) capMs *= 2
  if (retry.kind === 'exponential') capMs = Math.min(capMs, retry.delayMsMax)
  return [retry.jitter === 'full' ? 0 : capMs, capMs]
}
