import { bodyOf, decide, resultOf, type Task } from '@sluice/engine'
import { BATCH_SPAN_MAX, batchOf } from '../journal/journal.ts'
import { type BodyRun, bodyRun } from './body-store.ts'
import type { Host } from './host.ts'

/** Tasks carried forward at a time. */
const RESTATED_MAX = 500
/** Bytes of their bodies and results, but for one task that is larger: a batch has room for these beside what comes in. */
const RESTATED_BYTES_MAX = 8 * 1024 ** 2
/** A journal this many times as large as what it has to hold is worth carrying tasks forward for. */
const WASTE_FACTOR = 4
/** What a task's events take beside its body, about. */
const TASK_BYTES = 150
/** Old batches at which they are discarded. */
const DISCARD_BATCHES_MIN = 256

/**
 * Keeps the journal in proportion to what it has to hold. Every batch before the one that holds the oldest kept task's body
 * speaks of nothing that is left, and is discarded. Where a few old tasks hold back much, they are restated whole in a new
 * batch, as a log-structured store's cleaner does (Rosenblum and Ousterhout, 1992).
 */
export class Compaction {
  readonly #host: Host
  #discardedBefore = 1
  #isRunning = false
  #cancel: (() => void) | undefined

  constructor(host: Host) {
    this.#host = host
  }

  start(): void {
    this.#cancel = this.#host.platform.setTimer(() => {
      this.run()
        .catch((error: Error) => this.#host.log.error({ err: error }, 'compaction failed; the journal goes on growing'))
        .finally(() => {
          if (this.#cancel) this.start()
        })
    }, this.#host.config.compactEveryMs)
  }

  stop(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }

  async run(): Promise<void> {
    if (this.#isRunning || this.#host.status !== 'ready') return
    this.#isRunning = true
    try {
      while (this.#isWasteful()) await this.#restateOldest()
      await this.#discard()
    } finally {
      this.#isRunning = false
    }
  }

  #oldestBatch(): number {
    const oldest: Task | undefined = this.#host.state.tasks.values().next().value
    return oldest ? batchOf(bodyOf(oldest), this.#host.batch) : this.#host.batch
  }

  /** The oldest batch with a body of what connections are still to be sent. */
  #oldestAwaited(): number {
    const { connections, batch } = this.#host
    let oldest = batch
    for (const { outbound } of connections)
      for (const { ref } of outbound.bodiesAwaited()) oldest = Math.min(oldest, batchOf(ref, batch))
    return oldest
  }

  /** Whether old tasks hold back far more than they are. Batches that nothing holds back go by themselves. */
  #isWasteful(): boolean {
    const { journal, state, batch, config, status } = this.#host
    const span = batch - this.#oldestBatch()
    if (status !== 'ready' || span < DISCARD_BATCHES_MIN) return false
    if (span > BATCH_SPAN_MAX) return true
    const { bytes } = journal.stats()
    let needed = state.tasks.size * TASK_BYTES
    for (const queue of state.queues.values()) needed += queue.bytes + queue.resultBytes
    return bytes > config.compactBytesMin && bytes > WASTE_FACTOR * needed
  }

  async #restateOldest(): Promise<void> {
    const host = this.#host
    const oldest: Task[] = []
    let bytes = 0
    for (const task of host.state.tasks.values()) {
      bytes += task.bytes + (task.phase.state === 'succeeded' ? task.resultBytes : 0)
      if (oldest.length === RESTATED_MAX || (oldest.length > 0 && bytes > RESTATED_BYTES_MAX)) break
      oldest.push(task)
    }
    const carried = new Map(oldest.map((task) => [task.id, bodiesOf(task)]))
    await host.bodies.fill([...carried.values()].flatMap(({ body, result }) => (result ? [body, result] : [body])))
    const hasAll = ({ id, phase }: Task): boolean =>
      phase.state !== 'succeeded' || carried.get(id)?.result !== undefined
    // Between the reading and here a task may have gone on: only what it is now is restated.
    // One that has finished meanwhile waits for the next time: its result would be older than its body, and be discarded.
    const restate = oldest.filter((task) => host.state.tasks.get(task.id) === task && hasAll(task)).map(({ id }) => id)
    for (const event of decide(host.state, { type: 'checkpoint', restate }, { nowMs: host.nowMs, random: () => 0 })) {
      if (event.type === 'taskRestated') {
        const { body, result } = carried.get(event.task.id) as Bodies
        event.task.body = host.bodies.stage(body.bytes)
        if (event.task.phase.state === 'succeeded')
          event.task.phase.result = host.bodies.stage((result as BodyRun).bytes)
      }
      host.take(event)
    }
    if (await host.flushed()) await this.#discard()
  }

  async #discard(): Promise<void> {
    const host = this.#host
    if (this.#oldestBatch() - this.#discardedBefore < DISCARD_BATCHES_MIN) return
    host.apply({ type: 'checkpoint', restate: [] })
    // A checkpoint that is not written restates nothing.
    if (!(await host.flushed())) return
    // The batch of the checkpoint is the newest at most, and stays; so does what has not left yet.
    this.#discardedBefore = Math.min(this.#oldestBatch(), this.#oldestAwaited(), host.batch - 1)
    await host.journal.discardBefore(this.#discardedBefore)
  }
}

interface Bodies {
  body: BodyRun
  result: BodyRun | undefined
}

function bodiesOf(task: Task): Bodies {
  return {
    body: bodyRun(bodyOf(task), task.bytes),
    result: task.phase.state === 'succeeded' ? bodyRun(resultOf(task), task.resultBytes) : undefined,
  }
}
