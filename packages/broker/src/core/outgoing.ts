import type { BrokerMessage, DeliveredTask, TaskOutcome } from '@sluice/protocol'
import type { BodySlot } from './body-store.ts'

const NO_BYTES = new Uint8Array(0)

/** What one connection is to be sent when the batch in the making is durable. Deliveries and outcomes of one kind share a message. */
export class Outgoing {
  messages: BrokerMessage[] = []
  slots: BodySlot[] = []
  /** Tasks whose submission is answered here: credit that comes back when this leaves. */
  answered = 0
  /** Of the bodies and the errors, about. */
  bytes = 0

  deliver(
    queue: string,
    leaseMs: number,
    timeLimitMs: number,
    task: Omit<DeliveredTask, 'bytes'>,
    body: number,
    length: number,
  ): void {
    const item = task as DeliveredTask
    item.bytes = NO_BYTES
    this.slots.push({ item, ref: body, length })
    this.bytes += length
    const last = this.messages.at(-1)
    if (
      last?.type === 'deliver' &&
      last.queue === queue &&
      last.leaseMs === leaseMs &&
      (last.timeLimitMs ?? 0) === timeLimitMs
    ) {
      last.tasks.push(item)
    } else {
      this.messages.push({
        type: 'deliver',
        queue,
        leaseMs,
        ...(timeLimitMs > 0 ? { timeLimitMs } : {}),
        tasks: [item],
      })
    }
  }

  outcome(task: Omit<TaskOutcome, 'bytes'>, result: number, length: number): void {
    const item = task as TaskOutcome
    item.bytes = NO_BYTES
    if (length > 0) this.slots.push({ item, ref: result, length })
    this.bytes += length
    // A stack can be as large as a body. Two bytes a unit is what most scripts take at most.
    if (task.error) this.bytes += 2 * (task.error.message.length + (task.error.stack?.length ?? 0))
    const last = this.messages.at(-1)
    if (last?.type === 'outcome') last.tasks.push(item)
    else this.messages.push({ type: 'outcome', tasks: [item] })
  }

  revoke(lease: number, reason: 'cancelled' | 'expired'): void {
    const last = this.messages.at(-1)
    if (last?.type === 'revoke' && last.reason === reason) last.leases.push(lease)
    else this.messages.push({ type: 'revoke', leases: [lease], reason })
  }

  progress(id: string, progress: unknown): void {
    const last = this.messages.at(-1)
    if (last?.type === 'progress') last.tasks.push({ id, progress })
    else this.messages.push({ type: 'progress', tasks: [{ id, progress }] })
  }
}
