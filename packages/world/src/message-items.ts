import type {
  BrokerMessage,
  Complete,
  DeadReason,
  Deliver,
  Ended,
  Progress,
  Submit,
  Succeeded,
  TaskFailure,
  TaskName,
} from '@sluice/protocol'

/**
 * Messages carry their items in columns and refer to tasks in short. Here they are single items, each task by its id.
 */

export interface SubmittedItem {
  readonly id: string
  readonly bytes: number
}

export function submittedItems({ ids, bodies }: Submit): SubmittedItem[] {
  const { lengths } = bodies
  return ids.map((id, index) => ({ id, bytes: lengths[index] as number }))
}

export interface DeliveredItem {
  readonly id: string
  readonly lease: number
  readonly attempt: number
}

export function deliveredItems({ ids, leases, attempts }: Deliver): DeliveredItem[] {
  return ids.map((id, index) => ({ id, lease: leases[index] as number, attempt: attempts?.[index] ?? 1 }))
}

export interface CompletedItem {
  readonly lease: number
  readonly bytes: Uint8Array
}

export function completedItems({ leases, bodies }: Complete): CompletedItem[] {
  return leases.map((lease, index) => ({ lease, bytes: bodies.at(index) }))
}

export interface OutcomeItem {
  readonly id: string
  readonly status: 'succeeded' | 'dead' | 'cancelled'
  /** Set if the message says so. */
  readonly attempts: number | undefined
  readonly reason: DeadReason | undefined
  readonly error: TaskFailure | undefined
  /** For a succeeded task. */
  readonly result: Uint8Array | undefined
}

/** The tasks whose progress a message tells. */
export function progressedIds({ tasks }: Progress, submissionOf: SubmissionOf): string[] {
  return tasks.map((task) => idOf(task, submissionOf))
}

/** What was submitted over the connection under a ref. */
export type SubmissionOf = (ref: number) => Submit | undefined

/** The outcomes that a message tells, if it tells any. A task whose id is unknown has the id ''. */
export function outcomeItems(message: BrokerMessage, submissionOf: SubmissionOf): OutcomeItem[] {
  if (message.type === 'succeeded') return succeededItems(message, submissionOf)
  if (message.type === 'ended') return endedItems(message, submissionOf)
  return []
}

function succeededItems(message: Succeeded, submissionOf: SubmissionOf): OutcomeItem[] {
  const ids =
    'ids' in message ? message.ids : message.indexes.map((index) => idOf({ ref: message.ref, index }, submissionOf))
  return ids.map((id, index) => ({
    id,
    status: 'succeeded',
    attempts: undefined,
    reason: undefined,
    error: undefined,
    result: message.bodies.at(index),
  }))
}

function endedItems({ tasks }: Ended, submissionOf: SubmissionOf): OutcomeItem[] {
  return tasks.flatMap((task) => {
    const { status, attempts, reason, error } = task
    // This is no outcome: it can only not be told any more.
    if (status === 'forgotten') return []
    return { id: idOf(task, submissionOf), status, attempts, reason, error, result: undefined }
  })
}

function idOf(name: TaskName, submissionOf: SubmissionOf): string {
  return 'id' in name ? name.id : (submissionOf(name.ref)?.ids[name.index] ?? '')
}
