import type { Event, EventOf, TaskOptions, TaskRecord } from '@sluice/engine'

/**
 * What the journal says happened, one thing at a time. Observers of a run read these facts, whatever form events have
 * on their way to a disk. An event about one thing is a fact as it is. All times are by the broker's clock. Events
 * about a batch alone (checkpoints) are left out.
 */
export type Fact =
  | EventOf<
      | 'brokerStarted'
      | 'sessionOpened'
      | 'sessionResumed'
      | 'sessionDisconnected'
      | 'sessionClosed'
      | 'sessionHeard'
      | 'sessionRested'
      | 'brokerStalled'
      | 'creditSet'
      | 'taskWatched'
      | 'taskUnwatched'
      | 'taskReadied'
      | 'leasesBegun'
      | 'leasesRenewed'
      | 'progressReported'
      | 'attemptFailed'
      | 'leaseReleased'
      | 'taskDied'
      | 'taskCancelled'
      | 'taskRedriven'
    >
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
  | { type: 'leaseGranted'; id: string; session: string; lease: number; atMs: number }
  | { type: 'taskSucceeded'; id: string; bytes: number; atMs: number }
  /** `isEarly`: not because its time was over but because its queue had too many. */
  | { type: 'taskForgotten'; id: string; isEarly: boolean; atMs: number }

export type FactType = Fact['type']
export type FactOf<T extends FactType> = Extract<Fact, { type: T }>

/**
 * The only code that knows how events are laid out in a batch. Pass it every event, in order: events name tasks by
 * number, and only the acceptance of a task gives its id.
 */
export class FactReader {
  readonly #ids = new Map<number, string>()

  read(events: readonly Event[]): Fact[] {
    const facts: Fact[] = []
    for (const event of events) this.#read(event, facts)
    return facts
  }

  #read(event: Event, facts: Fact[]): void {
    const { type } = event
    switch (type) {
      case 'refused':
      case 'principalRevoked':
      case 'checkpointed':
        return
      case 'tasksAccepted': {
        const { queue, options, watcher, atMs } = event
        event.ids.forEach((id, index) => {
          const seq = event.seq + index
          const bytes = event.bytes[index] as number
          this.#ids.set(seq, id)
          facts.push({ type: 'taskAccepted', id, queue, seq, options, bytes, watcher, atMs })
        })
        return
      }
      case 'taskRestated':
        this.#ids.set(event.task.seq, event.task.id)
        facts.push({ type, id: event.task.id, task: event.task, atMs: event.atMs })
        return
      case 'leasesGranted': {
        const { session, atMs } = event
        event.tasks.forEach((seq, index) => {
          facts.push({ type: 'leaseGranted', id: this.#idOf(seq), session, lease: event.lease + index, atMs })
        })
        return
      }
      case 'tasksSucceeded':
        event.tasks.forEach((seq, index) => {
          const bytes = event.bytes[index] as number
          facts.push({ type: 'taskSucceeded', id: this.#idOf(seq), bytes, atMs: event.atMs })
        })
        return
      case 'taskForgotten':
        facts.push({ type, id: event.id, isEarly: false, atMs: event.atMs })
        return
      case 'oldestForgotten':
        for (const seq of event.tasks)
          facts.push({ type: 'taskForgotten', id: this.#idOf(seq), isEarly: true, atMs: event.atMs })
        return
      default:
        facts.push(event)
    }
  }

  #idOf(seq: number): string {
    return this.#ids.get(seq) ?? `number ${seq}`
  }
}
