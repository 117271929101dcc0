import type { AttemptRecord, Event, TaskOptions, TaskRecord } from '@sluice/engine'
import type { DeadReason, TaskFailure } from '@sluice/protocol'

/**
 * What the journal says happened, one thing at a time: whatever shape events have on their way to a disk, whoever looks at a
 * run reads these. All instants are of the broker's clock. What is written of a batch alone (checkpoints) is left out.
 */
export type Fact =
  | { type: 'brokerStarted'; epoch: number; nextLease: number; atMs: number }
  | { type: 'sessionOpened'; session: string; atMs: number }
  | { type: 'sessionResumed'; session: string; atMs: number }
  | { type: 'sessionDisconnected'; session: string; graceEndsAtMs: number; atMs: number }
  | { type: 'sessionClosed'; session: string; atMs: number }
  | { type: 'creditSet'; session: string; credit: number; queues: readonly string[]; atMs: number }
  | {
      type: 'taskAccepted'
      id: string
      queue: string
      seq: number
      options: TaskOptions
      bytes: number
      watcher: string | undefined
      atMs: number
    }
  | { type: 'taskRestated'; id: string; task: TaskRecord; atMs: number }
  | { type: 'taskWatched'; id: string; session: string; atMs: number }
  | { type: 'taskUnwatched'; id: string; session: string; atMs: number }
  | { type: 'taskReadied'; id: string; atMs: number }
  | {
      type: 'leaseGranted'
      id: string
      session: string
      lease: number
      attempt: number
      expiresAtMs: number
      atMs: number
    }
  | { type: 'leasesRenewed'; session: string; leases: readonly number[]; atMs: number }
  | { type: 'progressReported'; id: string; progress: unknown; atMs: number }
  | { type: 'taskSucceeded'; id: string; bytes: number; forgetAtMs: number; atMs: number }
  | { type: 'attemptFailed'; id: string; attempt: AttemptRecord; retryAtMs: number; atMs: number }
  | { type: 'leaseReleased'; id: string; retryAtMs: number; atMs: number }
  | {
      type: 'taskDied'
      id: string
      reason: DeadReason
      error: TaskFailure | undefined
      attempt: AttemptRecord | undefined
      forgetAtMs: number
      atMs: number
    }
  | { type: 'taskCancelled'; id: string; forgetAtMs: number; atMs: number }
  | { type: 'taskRedriven'; id: string; atMs: number }
  /** `isEarly`: not because its time was over but because its queue kept too many. */
  | { type: 'taskForgotten'; id: string; isEarly: boolean; atMs: number }

export type FactType = Fact['type']
export type FactOf<T extends FactType> = Extract<Fact, { type: T }>

/** The one place that knows how events are laid out in a batch. */
export function factsOf(events: readonly Event[]): Fact[] {
  const facts: Fact[] = []
  for (const event of events) {
    switch (event.type) {
      case 'refused':
      case 'checkpointed':
        break
      case 'taskRestated':
        facts.push({ type: event.type, id: event.task.id, task: event.task, atMs: event.atMs })
        break
      case 'taskForgotten':
        facts.push({ type: event.type, id: event.id, isEarly: false, atMs: event.atMs })
        break
      case 'oldestForgotten':
        for (const id of event.ids) facts.push({ type: 'taskForgotten', id, isEarly: true, atMs: event.atMs })
        break
      default:
        facts.push(event)
    }
  }
  return facts
}
