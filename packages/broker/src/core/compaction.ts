import { bodyOf, decide, resultOf, type Task } from '@sluice/engine'
import { BATCH_SPAN_MAX, batchOf } from '../journal/journal.ts'
import { type BodyRun, bodyRun } from './body-store.ts'
import type { Host } from './host.ts'

/** Tasks carried forward at a time. */
const RESTATED_MAX = 500
/**
 * Bytes of their bodies and results, unless a single task is larger. A batch has room for these besides its new events.
 */
const RESTATED_BYTES_MAX = 8 * 1024 ** 2
/** A journal is compacted by carrying tasks forward once it is this many times as large as what it must hold. */
const WASTE_FACTOR = 4
/** The approximate size of a task's events without its body. */
const TASK_BYTES = 150
/** The number of old batches at which they are discarded. */
const DISCARD_BATCHES_MIN = 256

/**
 * Keeps the size of the journal in proportion to what it must hold. It discards every batch before the one with the
 * oldest kept body, since those batches concern nothing that is left. If a few old tasks hold back much, it restates
 * them whole in a new batch, as the cleaner of a log-structured file system does (Rosenblum and Ousterhout, 1992).
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

  /** The oldest batch with a body that a connection must still send. */
  #oldestAwaited(): number {
    const { connections, batch } = this.#host
    let oldest = batch
    for (const { outbound } of connections)
      for (const { ref } of outbound.bodiesAwaited()) oldest = Math.min(oldest, batchOf(ref, batch))
    return oldest
  }

  /** Whether old tasks hold back far more than their own size. Batches that nothing holds back are discarded anyway. */
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
    // A task may have changed since it was read. Only a task with an unchanged state is restated. One that has finished
    // meanwhile waits for the next time: its result would be older than its body, and would be discarded.
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
    // The batch of the checkpoint. Others may follow it before this goes on.
    const { batch } = host
    host.apply({ type: 'checkpoint', restate: [] })
    // A checkpoint that is not written restates nothing.
    if (!(await host.flushed())) return
    // The checkpoint stays, and so do the bodies that have not been sent.
    this.#discardedBefore = Math.min(this.#oldestBatch(), this.#oldestAwaited(), batch)
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
