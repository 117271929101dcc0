import type { TaskFailure } from '@sluice/protocol'
import type { Past, Queue, Task } from './entities.ts'
import type { AttemptRecord, Event, EventOf, TaskRecord } from './events.ts'
import { lengthOf } from './history.ts'
import type { State } from './state.ts'

/**
 * How much memory failures and progress take, and what is left out if there is no room for them. A million tasks may
 * fail with 20 KB each and wait for a month afterwards; that must not exhaust the memory of the broker.
 */

/** About what a recorded attempt without its error takes. */
const RECORD_BYTES = 100
/** About what an object, an array or a string takes, and each entry of one. */
const VALUE_BYTES = 64
const ENTRY_BYTES = 16

export function failureBytes(error: TaskFailure | undefined): number {
  if (error === undefined) return 0
  return VALUE_BYTES + 2 * (lengthOf(error) + (error.stack ?? '').length)
}

/** A record that had no room counts as 0, so that the bound holds. The estimate for a task covers it. */
function recordBytes({ error, cut }: AttemptRecord): number {
  return cut === 'history' ? 0 : RECORD_BYTES + failureBytes(error)
}

export function pastBytes({ history, progress }: Omit<Past, 'bytes'>): number {
  let bytes = valueBytes(progress)
  for (const record of history) bytes += recordBytes(record)
  return bytes
}

/** About what a JSON value takes in memory. Numbers, which most progress is, count as 0. */
export function valueBytes(value: unknown): number {
  if (typeof value === 'string') return VALUE_BYTES + 2 * value.length
  if (typeof value !== 'object' || value === null) return 0
  let bytes = VALUE_BYTES
  for (const [key, item] of Object.entries(value)) bytes += ENTRY_BYTES + 2 * key.length + valueBytes(item)
  return bytes
}

/** The room that is left while the events of one command are decided, before the state takes any of them. */
class HistoryRoom {
  readonly #state: State
  /** Bytes by queue; under `undefined`, over all queues. */
  readonly #taken = new Map<Queue | undefined, number>()

  constructor(state: State) {
    this.#state = state
  }

  /** Whether `bytes` more fit for the tasks of this queue. */
  has(queue: Queue | undefined, bytes: number): boolean {
    const { historyBytes, config } = this.#state
    return (
      (queue?.historyBytes ?? 0) + this.#takenOf(queue) + bytes <= config.queueHistoryBytesMax &&
      historyBytes + this.#takenOf(undefined) + bytes <= config.historyBytesMax
    )
  }

  take(queue: Queue, bytes: number): void {
    this.#taken.set(queue, this.#takenOf(queue) + bytes)
    this.#taken.set(undefined, this.#takenOf(undefined) + bytes)
  }

  /** As much of what an ended attempt leaves as there is room for. */
  fit(queue: Queue, remains: Remains): Remains {
    for (const version of versionsOf(remains)) {
      const { attempt, error } = version
      const bytes = (attempt ? recordBytes(attempt) : 0) + failureBytes(error)
      if (bytes > 0 && !this.has(queue, bytes)) continue
      this.take(queue, bytes)
      return version
    }
    throw new Error('invariant broken: what takes no room finds none')
  }

  #takenOf(queue: Queue | undefined): number {
    return this.#taken.get(queue) ?? 0
  }
}

/** What a task keeps of an ended attempt. */
interface Remains {
  attempt: AttemptRecord | undefined
  /** The error that a dead letter keeps outside its history. */
  error: TaskFailure | undefined
}

/** All that remains, then versions with less and less. */
function* versionsOf(whole: Remains): Generator<Remains, undefined> {
  yield whole
  const { attempt, error } = whole
  if (attempt === undefined) {
    yield { attempt, error: undefined }
    return
  }
  const { error: own, ...bare } = attempt
  if (own?.stack !== undefined) {
    const { stack: _, ...brief } = own
    yield { attempt: { ...bare, error: brief, cut: 'stack' }, error: error && brief }
  }
  if (own !== undefined || error !== undefined) yield { attempt: { ...bare, cut: 'error' }, error: undefined }
  yield { attempt: { ...bare, cut: 'history' }, error: undefined }
}

/** Cuts failures and progress to the room there is, in the events of one command or in one replayed event. */
export function fitHistories(state: State, events: readonly Event[]): Event[] {
  const room = new HistoryRoom(state)
  return events.filter((event) => {
    if (event.type === 'attemptFailed' || event.type === 'taskDied') fitFailure(state, event, room)
    else if (event.type === 'taskRestated') fitRecord(state, event.task, room)
    else if (event.type === 'progressReported') return hasProgressRoom(state, event, room)
    return true
  })
}

function fitFailure(state: State, event: EventOf<'attemptFailed' | 'taskDied'>, room: HistoryRoom): void {
  const { queue } = state.tasks.get(event.id) as Task
  if (event.type === 'taskDied') Object.assign(event, room.fit(queue, event))
  else event.attempt = room.fit(queue, { attempt: event.attempt, error: undefined }).attempt as AttemptRecord
}

/** Progress may be skipped, and is if it has no room. */
function hasProgressRoom(state: State, { id, progress }: EventOf<'progressReported'>, room: HistoryRoom): boolean {
  const bytes = valueBytes(progress)
  if (bytes === 0) return true
  const { queue, past } = state.tasks.get(id) as Task
  const more = bytes - valueBytes(past.progress)
  if (more > 0 && !room.has(queue, more)) return false
  room.take(queue, Math.max(0, more))
  return true
}

/** The broker that wrote the journal may have had more room. */
function fitRecord(state: State, record: TaskRecord, room: HistoryRoom): void {
  if (state.tasks.has(record.id)) return
  const queue = state.queues.get(record.queue)
  const { phase, history } = record
  const bytes = pastBytes({ releases: 0, history, progress: record.progress })
  const dead = phase.state === 'dead' ? failureBytes(phase.error) : 0
  if (bytes + dead === 0 || room.has(queue, bytes + dead)) return
  const { error: _, ...last } = history.at(-1) ?? {}
  record.history = history.length > 0 ? [{ ...(last as AttemptRecord), cut: 'history' }] : []
  delete record.progress
  if (phase.state === 'dead') delete phase.error
}
