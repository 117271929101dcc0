import type { Event, PhaseRecord, Revoked, TaskOptions, TaskRecord } from '@sluice/engine'
import { EVENT_CODES, type StoredEvent } from './event-codec.ts'
import { bodyRef } from './journal.ts'
import { JsonWriter } from './json-writer.ts'

/** A string table index that means "none". */
const NONE = -1

/**
 * The tables of one batch. A value that its events repeat is written once. A profile holds what the tasks of one
 * submission share (queue, options, content type, watcher, owner), so that an accepted task costs one small number for
 * all of them.
 */
class Tables {
  readonly strings: string[] = []
  readonly #stringIndex = new Map<string, number>()
  readonly options: string[] = []
  readonly #optionsIndex = new Map<string, number>()
  readonly profiles: string[] = []
  readonly #profileIndex = new Map<string, number>()

  #lastString = ''
  #lastStringAt = NONE
  #lastOptions: TaskOptions | undefined
  #lastOptionsAt = NONE
  #queue: string | undefined
  #profileOptions: TaskOptions | undefined
  #contentType: string | undefined
  #watcher: string | undefined
  #owner: string | undefined
  #profileAt = NONE

  string(value: string | undefined): number {
    if (value === undefined) return NONE
    if (value === this.#lastString && this.#lastStringAt !== NONE) return this.#lastStringAt
    let at = this.#stringIndex.get(value)
    if (at === undefined) {
      at = this.strings.push(JSON.stringify(value)) - 1
      this.#stringIndex.set(value, at)
    }
    this.#lastString = value
    this.#lastStringAt = at
    return at
  }

  #optionsAt(options: TaskOptions): number {
    if (options === this.#lastOptions) return this.#lastOptionsAt
    const { retry } = options
    const text = `[${options.priority},${options.delayMs},${options.ttlMs},${options.leaseMs},${options.timeLimitMs},${options.resultTtlMs},"${retry.kind}",${retry.attemptsMax},${retry.delayMs},${retry.delayMsMax},"${retry.jitter}"]`
    let at = this.#optionsIndex.get(text)
    if (at === undefined) {
      at = this.options.push(text) - 1
      this.#optionsIndex.set(text, at)
    }
    this.#lastOptions = options
    this.#lastOptionsAt = at
    return at
  }

  profile(
    queue: string,
    options: TaskOptions,
    contentType: string | undefined,
    watcher: string | undefined,
    owner: string | undefined,
  ): number {
    if (
      options === this.#profileOptions &&
      queue === this.#queue &&
      contentType === this.#contentType &&
      watcher === this.#watcher &&
      owner === this.#owner
    )
      return this.#profileAt
    const shared = `${this.string(queue)},${this.#optionsAt(options)},${this.string(contentType)},${this.string(watcher)}`
    const text = owner === undefined ? `[${shared}]` : `[${shared},${this.string(owner)}]`
    let at = this.#profileIndex.get(text)
    if (at === undefined) {
      at = this.profiles.push(text) - 1
      this.#profileIndex.set(text, at)
    }
    this.#queue = queue
    this.#profileOptions = options
    this.#contentType = contentType
    this.#watcher = watcher
    this.#owner = owner
    this.#profileAt = at
    return at
  }
}

/**
 * An instant after `atMs`, as the distance from it, which is short. It is stored whole in an array if adding the
 * distance back would round.
 */
function instant(out: JsonWriter, atMs: number, thenMs: number): void {
  const distance = thenMs - atMs
  if (atMs + distance === thenMs) out.number(distance)
  else out.ascii(`,[${thenMs}]`)
}

/** A comma, and JSON for an object, or `0` if it is absent. */
function optional(out: JsonWriter, value: object | undefined): void {
  if (value === undefined) out.ascii(',0')
  else json(out, value)
}

/** A comma and any JSON value. */
function json(out: JsonWriter, value: unknown): void {
  out.comma()
  out.json(value)
}

/** A comma, and numbers of tasks as `[[first, count], …]`. */
function runs(out: JsonWriter, numbers: readonly number[]): void {
  out.ascii(',[')
  for (let i = 0; i < numbers.length; ) {
    const first = numbers[i] as number
    let count = 1
    while (numbers[i + count] === first + count) count += 1
    out.ascii(i === 0 ? `[${first},${count}]` : `,[${first},${count}]`)
    i += count
  }
  out.ascii(']')
}

/** A comma, and sizes: one number if all are equal. */
function sizes(out: JsonWriter, bytes: readonly number[]): void {
  const [first] = bytes
  if (first !== undefined && bytes.every((size) => size === first)) out.number(first)
  else out.numberList(bytes)
}

function sum(bytes: readonly number[]): number {
  let all = 0
  for (const size of bytes) all += size
  return all
}

function writePhase(out: JsonWriter, phase: PhaseRecord, atMs: number, firstRef: number): void {
  out.ascii(`,["${phase.state}"`)
  switch (phase.state) {
    case 'delayed':
      instant(out, atMs, phase.readyAtMs)
      break
    case 'ready':
      if (phase.behind > 0) out.number(phase.behind)
      break
    case 'leased':
      json(out, phase.session)
      out.number(phase.lease)
      instant(out, atMs, phase.expiresAtMs)
      if (phase.endsAtMs !== undefined) instant(out, atMs, phase.endsAtMs)
      break
    case 'succeeded':
      out.number(phase.result - firstRef)
      out.number(phase.bytes)
      instant(out, atMs, phase.forgetAtMs)
      if (phase.contentType !== undefined) json(out, phase.contentType)
      break
    case 'dead':
      out.quoted(phase.reason)
      instant(out, atMs, phase.forgetAtMs)
      optional(out, phase.error)
      break
    case 'cancelled':
      instant(out, atMs, phase.forgetAtMs)
  }
  out.ascii(']')
}

function writeTask(out: JsonWriter, task: TaskRecord, atMs: number, tables: Tables, firstRef: number): void {
  out.quoted(task.id)
  out.number(tables.profile(task.queue, task.options, task.contentType, undefined, task.owner))
  out.number(task.body - firstRef)
  out.number(task.bytes)
  out.number(task.digest)
  out.number(task.seq)
  instant(out, atMs, task.acceptedAtMs)
  out.number(task.started ? 1 : 0)
  out.number(task.attempts)
  out.number(task.releases)
  writePhase(out, task.phase, atMs, firstRef)
  if (task.history.length === 0) out.ascii(',[]')
  else json(out, task.history)
  out.ascii(`,[${task.watchers.map((id) => tables.string(id)).join()}]`)
  if (task.progress !== undefined) json(out, task.progress)
}

/** The last fields of a row, if it has any. */
function writeRevoked(out: JsonWriter, revoked: Revoked | undefined, tables: Tables): void {
  if (!revoked) return
  out.number(tables.string(revoked.session))
  out.number(revoked.lease)
}

/** The fields of events that do not depend on the previous event. The task's id and the session come first. */
function writeFields(out: JsonWriter, event: StoredEvent, tables: Tables, firstRef: number): void {
  const { atMs } = event
  if ('id' in event) out.quoted(event.id)
  if ('session' in event) out.number(tables.string(event.session))
  switch (event.type) {
    case 'sessionClosed':
    case 'sessionRested':
    case 'taskWatched':
    case 'taskUnwatched':
    case 'taskReadied':
    case 'taskRedriven':
    case 'taskForgotten':
      break
    case 'brokerStarted':
      out.number(event.epoch)
      out.number(event.nextLease)
      break
    case 'checkpointed':
      out.number(event.epoch)
      out.number(event.nextLease)
      json(out, event.sessions)
      out.number(event.nextSeq)
      if (event.revocations) json(out, event.revocations)
      break
    case 'sessionOpened':
      json(out, event.roles)
      if (event.begins || event.owner !== undefined) out.number(event.begins ? 1 : 0)
      if (event.owner !== undefined) out.number(tables.string(event.owner))
      break
    case 'principalRevoked':
      json(out, event.principal)
      break
    case 'sessionResumed':
      if (event.begins || event.begun !== undefined) out.number(event.begins ? 1 : 0)
      if (event.begun !== undefined) out.number(event.begun)
      break
    case 'sessionHeard':
      instant(out, atMs, event.restUntilMs)
      break
    case 'brokerStalled':
      out.number(event.ms)
      break
    case 'leasesBegun':
      out.number(event.lease)
      break
    case 'sessionDisconnected':
      instant(out, atMs, event.graceEndsAtMs)
      break
    case 'creditSet':
      out.number(event.credit)
      json(out, event.queues)
      break
    case 'taskRestated':
      writeTask(out, event.task, atMs, tables, firstRef)
      break
    case 'leasesRenewed':
      json(out, event.leases)
      break
    case 'progressReported':
      json(out, event.progress)
      break
    case 'attemptFailed':
      instant(out, atMs, event.retryAtMs)
      json(out, event.attempt)
      writeRevoked(out, event.revoked, tables)
      break
    case 'leaseReleased':
      instant(out, atMs, event.retryAtMs)
      if (event.lost) out.quoted(event.lost)
      else if (event.revoked) out.number(0)
      writeRevoked(out, event.revoked, tables)
      break
    case 'taskDied':
      out.quoted(event.reason)
      instant(out, atMs, event.forgetAtMs)
      optional(out, event.error)
      optional(out, event.attempt)
      writeRevoked(out, event.revoked, tables)
      break
    case 'taskCancelled':
      instant(out, atMs, event.forgetAtMs)
      writeRevoked(out, event.revoked, tables)
      break
    case 'leasesGranted':
      out.number(event.lease)
      runs(out, event.tasks)
      if (event.start) out.quoted(event.start)
      else if (event.durable) out.number(0)
      if (event.durable) out.number(1)
      break
    case 'oldestForgotten':
      runs(out, event.tasks)
      break
    case 'tasksAccepted':
    case 'tasksSucceeded':
      throw new TypeError(`${event.type} is written in the loop`)
    default:
      event satisfies never
  }
}

/**
 * Writes the events of one batch as JSON text in UTF-8: `[atMs, events, strings, options, profiles]`. In `events` each
 * event is an array that begins with its code. A bare number is the instant of all events after it.
 *
 * Task ids are UUIDs by contract, so they are quoted but not escaped. The ref of an event's bodies is left out if they
 * follow directly after the previous bodies, as bodies do that are stored in the order of their events. Other refs are
 * stored as their distance from the batch's first byte.
 *
 * Refusals are left out.
 */
export class EventEncoder {
  readonly #out = new JsonWriter()

  /** The returned view is valid until the next call. */
  encode(batch: number, events: readonly Event[]): Uint8Array {
    const out = this.#out
    const tables = new Tables()
    const firstRef = bodyRef(batch, 0)
    let nextRef = firstRef
    let nowMs: number | undefined
    let separator = ''
    out.reset()
    for (const event of events) {
      if (event.type === 'refused') continue
      if (nowMs === undefined) {
        nowMs = event.atMs
        out.ascii(`[${nowMs},[`)
      } else if (event.atMs !== nowMs) {
        nowMs = event.atMs
        out.ascii(`${separator}${nowMs}`)
        separator = ','
      }
      out.ascii(separator)
      separator = ','
      switch (event.type) {
        case 'tasksAccepted':
          out.ascii('["A"')
          out.number(tables.profile(event.queue, event.options, event.contentType, event.watcher, event.owner))
          out.number(event.ref)
          out.number(event.index)
          out.quotedList(event.ids)
          sizes(out, event.bytes)
          out.numberList(event.digests)
          out.number(event.seq)
          if (event.body !== nextRef) out.number(event.body - firstRef)
          nextRef = event.body + sum(event.bytes)
          break
        case 'tasksSucceeded':
          out.ascii('["S"')
          runs(out, event.tasks)
          sizes(out, event.bytes)
          if (event.contentType !== undefined || event.result !== nextRef) out.number(tables.string(event.contentType))
          if (event.result !== nextRef) out.number(event.result - firstRef)
          nextRef = event.result + sum(event.bytes)
          break
        default:
          out.ascii(`["${EVENT_CODES[event.type]}"`)
          writeFields(out, event, tables, firstRef)
      }
      out.ascii(']')
    }
    if (nowMs === undefined) out.ascii('[0,[')
    out.text(`],[${tables.strings.join()}],[${tables.options.join()}],[${tables.profiles.join()}]]`)
    return out.written()
  }
}
