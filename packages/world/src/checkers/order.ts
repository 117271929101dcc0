import type { Checker, Observation, Surroundings, Violate } from '../observation.ts'
import type { TaskView } from './chronicle.ts'
import type { Sources } from './sources.ts'

const PRIORITIES = 10
/** Times are fractions of a ms, and sums of them are rounded. */
const ROUNDING_MS = 0.01

/** The ready tasks of one priority of a queue, with their numbers in the order of acceptance. */
interface Level {
  /** Delivered before. */
  readonly returned: Map<string, number>
  /** Never delivered and never delayed, in the order of acceptance. */
  readonly fresh: Map<string, number>
  /** All of them. A task that was never delivered has the batch of its acceptance, the others 0. */
  readonly ready: Map<string, number>
}

/**
 * A queue delivers a ready task of the highest priority first. Within a priority, tasks that were delivered before
 * come first, then the order of acceptance. No task is delivered before its delay is over or, for the first time,
 * after its time-to-live.
 */
export class Order implements Checker {
  readonly rule = 'READY-3'
  readonly #sources: Sources
  readonly #queues = new Map<string, Level[]>()
  /** When the broker first heard of a task, in world time. */
  readonly #heardAtMs = new Map<string, number>()
  readonly #redriven = new Set<string>()
  /**
   * The batch of each task's acceptance, until the task has been delivered. A delay may end before the batch is
   * durable.
   */
  readonly #acceptedIn = new Map<string, number>()
  #isClockSet = false
  /** The batch that is being judged. */
  #batch = 0

  constructor(sources: Sources) {
    this.#sources = sources
  }

  see(observation: Observation, _: Surroundings, violate: Violate): void {
    const { chronicle } = this.#sources
    const steps = chronicle.see(observation)
    if (observation.type === 'appending') this.#batch = observation.batch
    if (chronicle.isRetold) {
      this.#queues.clear()
      this.#acceptedIn.clear()
    }
    for (const { fact, before, after } of steps) {
      // A dead letter becomes ready at once, whatever it once waited for.
      if (fact.type === 'taskRedriven') this.#redriven.add(fact.id)
      if (fact.type === 'leaseGranted' && before && !chronicle.isRetold) this.#granted(before, fact.atMs, violate)
      if (fact.type === 'taskDied' && fact.reason === 'expired' && before) {
        if (before.isStarted)
          violate(`task ${fact.id} expired after it had been delivered`, { ids: [fact.id] }, 'READY-5')
        else if (before.options.ttlMs === 0 || fact.atMs < before.acceptedAtMs + before.options.ttlMs - ROUNDING_MS)
          violate(`task ${fact.id} expired before its time-to-live was over`, { ids: [fact.id] }, 'READY-5')
      }
      if (fact.type === 'taskReadied' && before && fact.atMs < (readyAtMs(before) ?? 0) - ROUNDING_MS)
        violate(`task ${fact.id} became ready before its delay was over`, { ids: [fact.id] }, 'READY-1')
      if (fact.type === 'taskAccepted' && !chronicle.isRetold) this.#acceptedIn.set(fact.id, this.#batch)
      if (before?.state === 'ready' && before !== after) this.#leave(before)
      if (after?.state === 'ready' && before !== after) this.#enter(after)
    }
    if (observation.type === 'faultStarted' && observation.fault.type === 'clockJump')
      this.#isClockSet ||= observation.fault.node === 'broker'
    if (observation.type === 'heardByBroker' && observation.message.type === 'submit') {
      for (const id of observation.message.ids) if (!this.#heardAtMs.has(id)) this.#heardAtMs.set(id, observation.atMs)
    }
    if (observation.type === 'sentByBroker' && observation.message.type === 'deliver' && !this.#isClockSet) {
      for (const id of observation.message.ids) this.#delivered(id, observation.node, observation.atMs, violate)
    }
  }

  /**
   * This uses a clock that the broker does not have: nothing may be delivered too soon, whatever the broker believes.
   */
  #delivered(id: string, node: string, atMs: number, violate: Violate): void {
    const task = this.#sources.chronicle.tasks.get(id)
    const heardAtMs = this.#heardAtMs.get(id)
    if (!task || heardAtMs === undefined || this.#redriven.has(id)) return
    const afterMs = atMs - heardAtMs
    if (afterMs < task.options.delayMs - 1)
      violate(
        `task ${id} was delivered ${afterMs} ms after its submission, and has a delay of ${task.options.delayMs}`,
        {
          ids: [id],
          nodes: [node],
        },
        'READY-1',
      )
  }

  #granted(task: TaskView, atMs: number, violate: Violate): void {
    const { id, options, acceptedAtMs, isStarted, queue } = task
    const about = { ids: [id] }
    if (!isStarted && options.ttlMs > 0 && atMs > acceptedAtMs + options.ttlMs + ROUNDING_MS)
      violate(
        `task ${id} was leased for the first time after its time-to-live of ${options.ttlMs} ms`,
        about,
        'READY-5',
      )
    const levels = this.#levelsOf(queue)
    for (let priority = PRIORITIES - 1; priority > options.priority; priority -= 1) {
      if (this.#isWaiting(levels[priority] as Level))
        violate(
          `task ${id} of priority ${options.priority} was leased before one of ${priority} in ${queue}`,
          about,
          'READY-2',
        )
    }
    const { returned, fresh } = levels[options.priority] as Level
    if (isStarted) {
      for (const [other, seq] of returned)
        if (seq < task.seq) violate(`task ${id} was leased again before ${other}, accepted before it`, about, 'READY-4')
      return
    }
    if (returned.size > 0)
      violate(`task ${id} was leased before one of its priority that had come back`, about, 'READY-4')
    const [first] = fresh
    if (options.delayMs === 0 && first && first[1] < task.seq)
      violate(`task ${id} was leased before ${first[0]}, accepted before it`, { ids: [id, first[0]] })
  }

  /**
   * Whether the next of them can be delivered. One batch is written at a time, so what came before the last one is
   * durable. Durable tasks behind one that is not durable wait.
   */
  #isWaiting({ ready }: Level): boolean {
    for (const batch of ready.values()) if (batch >= this.#batch - 1) return false
    return ready.size > 0
  }

  #enter(task: TaskView): void {
    const level = this.#levelsOf(task.queue)[task.options.priority] as Level
    level.ready.set(task.id, this.#acceptedIn.get(task.id) ?? 0)
    if (task.isStarted) level.returned.set(task.id, task.seq)
    else if (task.options.delayMs === 0) level.fresh.set(task.id, task.seq)
  }

  #leave(task: TaskView): void {
    const level = this.#levelsOf(task.queue)[task.options.priority] as Level
    level.ready.delete(task.id)
    this.#acceptedIn.delete(task.id)
    if (task.isStarted) level.returned.delete(task.id)
    else level.fresh.delete(task.id)
  }

  #levelsOf(queue: string): Level[] {
    let levels = this.#queues.get(queue)
    if (!levels) {
      levels = Array.from({ length: PRIORITIES }, () => ({ returned: new Map(), fresh: new Map(), ready: new Map() }))
      this.#queues.set(queue, levels)
    }
    return levels
  }
}

/** Until when a delayed task must wait, according to its options. The delay of a retry is in its own fact. */
function readyAtMs({ isStarted, acceptedAtMs, options }: TaskView): number | undefined {
  return isStarted ? undefined : acceptedAtMs + options.delayMs
}
