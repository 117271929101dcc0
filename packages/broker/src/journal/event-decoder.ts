import type { EventOf, Loss, PhaseRecord, Revoked, TaskOptions, TaskRecord } from '@sluice/engine'
import type { StoredEvent } from './event-codec.ts'
import { bodyRef } from './journal.ts'

type Row = unknown[]

/** The instant that the encoder stored as a distance from `atMs`, or as a whole in an array. */
function instantFrom(atMs: number, stored: unknown): number {
  return typeof stored === 'number' ? atMs + stored : (stored as [number])[0]
}

function numbersOf(runs: unknown): number[] {
  const numbers: number[] = []
  for (const [first, count] of runs as [number, number][]) for (let i = 0; i < count; i += 1) numbers.push(first + i)
  return numbers
}

function sizesOf(stored: unknown, count: number): number[] {
  return typeof stored === 'number' ? new Array<number>(count).fill(stored) : (stored as number[])
}

function decodeOptions(row: Row): TaskOptions {
  const [priority, delayMs, ttlMs, leaseMs, timeLimitMs, resultTtlMs, kind, attemptsMax, retryMs, delayMsMax, jitter] =
    row as [number, number, number, number, number, number, 'none' | 'fixed' | 'exponential', ...unknown[]]
  return {
    priority,
    delayMs,
    ttlMs,
    leaseMs,
    timeLimitMs,
    resultTtlMs,
    retry: { kind, attemptsMax, delayMs: retryMs, delayMsMax, jitter } as TaskOptions['retry'],
  }
}

function decodePhase(row: Row, atMs: number, firstRef: number): PhaseRecord {
  const state = row[0] as PhaseRecord['state']
  switch (state) {
    case 'delayed':
      return { state, readyAtMs: instantFrom(atMs, row[1]) }
    case 'ready':
      return { state, behind: (row[1] ?? 0) as number }
    case 'leased':
      return {
        state,
        session: row[1] as string,
        lease: row[2] as number,
        expiresAtMs: instantFrom(atMs, row[3]),
        ...(row.length > 4 ? { endsAtMs: instantFrom(atMs, row[4]) } : {}),
      }
    case 'succeeded': {
      const phase: PhaseRecord = {
        state,
        result: firstRef + (row[1] as number),
        bytes: row[2] as number,
        forgetAtMs: instantFrom(atMs, row[3]),
      }
      if (row.length > 4) phase.contentType = row[4] as string
      return phase
    }
    case 'dead': {
      const phase: PhaseRecord = {
        state,
        reason: row[1] as EventOf<'taskDied'>['reason'],
        forgetAtMs: instantFrom(atMs, row[2]),
      }
      if (row[3] !== 0) phase.error = row[3] as NonNullable<EventOf<'taskDied'>['error']>
      return phase
    }
    case 'cancelled':
      return { state, forgetAtMs: instantFrom(atMs, row[1]) }
    default:
      throw new SyntaxError(`unknown task state ${JSON.stringify(state satisfies never)}`)
  }
}

interface Profile {
  queue: string
  options: TaskOptions
  contentType: string | undefined
  watcher: string | undefined
  owner: string | undefined
}

/**
 * Reads stored batches. One decoder serves one whole load: a queue name, a session id or a set of options that many
 * batches hold becomes one string or object for all of them. That keeps a large backlog small in memory.
 */
export class EventDecoder {
  readonly #strings = new Map<string, string>()
  readonly #options = new Map<string, TaskOptions>()

  #intern(text: string): string {
    const known = this.#strings.get(text)
    if (known !== undefined) return known
    this.#strings.set(text, text)
    return text
  }

  #internOptions(row: Row): TaskOptions {
    const key = row.join()
    let options = this.#options.get(key)
    if (options === undefined) {
      options = decodeOptions(row)
      this.#options.set(key, options)
    }
    return options
  }

  /**
   * The events of one batch as they were encoded, without refusals.
   * @throws SyntaxError on other text
   */
  decode(batch: number, text: string): StoredEvent[] {
    const [baseMs, rows, stringRows, optionRows, profileRows] = JSON.parse(text) as [
      number,
      (Row | number)[],
      string[],
      Row[],
      number[][],
    ]
    const strings = stringRows.map((string) => this.#intern(string))
    const options = optionRows.map((row) => this.#internOptions(row))
    const profiles = profileRows.map(
      ([queue, option, contentType, watcher, owner]): Profile => ({
        queue: strings[queue!]!,
        options: options[option!]!,
        contentType: strings[contentType!],
        watcher: strings[watcher!],
        owner: owner === undefined ? undefined : strings[owner],
      }),
    )
    const firstRef = bodyRef(batch, 0)
    let nextRef = firstRef
    let atMs = baseMs
    const events: StoredEvent[] = []
    for (const row of rows) {
      if (typeof row === 'number') {
        atMs = row
        continue
      }
      switch (row[0]) {
        case 'A': {
          const { queue, options, contentType, watcher, owner } = profiles[row[1] as number]!
          const ids = row[4] as string[]
          const bytes = sizesOf(row[5], ids.length)
          const body = row.length > 8 ? firstRef + (row[8] as number) : nextRef
          nextRef = body
          for (const size of bytes) nextRef += size
          events.push({
            type: 'tasksAccepted',
            queue,
            options,
            contentType,
            watcher,
            ...(owner === undefined ? {} : { owner }),
            ref: row[2] as number,
            index: row[3] as number,
            seq: row[7] as number,
            body,
            ids,
            bytes,
            digests: row[6] as number[],
            atMs,
          })
          break
        }
        case 'S': {
          const tasks = numbersOf(row[1])
          const bytes = sizesOf(row[2], tasks.length)
          const contentType = row.length > 3 ? strings[row[3] as number] : undefined
          const result = row.length > 4 ? firstRef + (row[4] as number) : nextRef
          nextRef = result
          for (const size of bytes) nextRef += size
          events.push({ type: 'tasksSucceeded', tasks, contentType, result, bytes, atMs })
          break
        }
        default:
          events.push(decodeOther(row, atMs, strings, profiles, firstRef))
      }
    }
    return events
  }
}

function decodeTask(row: Row, atMs: number, strings: string[], profiles: Profile[], firstRef: number): TaskRecord {
  const { queue, options, contentType, owner } = profiles[row[2] as number]!
  const task: TaskRecord = {
    id: row[1] as string,
    queue,
    options,
    body: firstRef + (row[3] as number),
    bytes: row[4] as number,
    digest: row[5] as number,
    seq: row[6] as number,
    acceptedAtMs: instantFrom(atMs, row[7]),
    started: row[8] === 1,
    attempts: row[9] as number,
    releases: row[10] as number,
    history: row[12] as TaskRecord['history'],
    watchers: (row[13] as number[]).map((at) => strings[at]!),
    phase: decodePhase(row[11] as Row, atMs, firstRef),
  }
  if (contentType !== undefined) task.contentType = contentType
  if (owner !== undefined) task.owner = owner
  if (row.length > 14) task.progress = row[14]
  return task
}

/** The session that lost a lease, from the fields of the row from `at` on, if there is one. */
function revokedOf(row: Row, at: number, strings: string[]): { revoked?: Revoked } {
  if (row.length <= at) return {}
  return { revoked: { session: strings[row[at] as number]!, lease: row[at + 1] as number } }
}

function decodeOther(row: Row, atMs: number, strings: string[], profiles: Profile[], firstRef: number): StoredEvent {
  const [code, first, second, third] = row as [string, unknown, unknown, unknown]
  const id = first as string
  switch (code) {
    case 'B':
      return { type: 'brokerStarted', epoch: first as number, nextLease: second as number, atMs }
    case 'C': {
      const sessions = third as EventOf<'checkpointed'>['sessions']
      const [epoch, nextLease, nextSeq] = [first, second, row[4]] as [number, number, number]
      const revocations = row[5] as EventOf<'checkpointed'>['revocations']
      return {
        type: 'checkpointed',
        epoch,
        nextLease,
        nextSeq,
        sessions,
        ...(revocations === undefined ? {} : { revocations }),
        atMs,
      }
    }
    case 'so': {
      const roles = second as EventOf<'sessionOpened'>['roles']
      return {
        type: 'sessionOpened',
        session: strings[first as number]!,
        roles,
        ...(third === 1 ? { begins: true } : {}),
        ...(row[4] === undefined ? {} : { owner: strings[row[4] as number]! }),
        atMs,
      }
    }
    case 'pr':
      return { type: 'principalRevoked', principal: first as string, atMs }
    case 'sr':
      return {
        type: 'sessionResumed',
        session: strings[first as number]!,
        ...(second === 1 ? { begins: true } : {}),
        ...(third === undefined ? {} : { begun: third as number }),
        atMs,
      }
    case 'sh': {
      const restUntilMs = instantFrom(atMs, second)
      return { type: 'sessionHeard', session: strings[first as number]!, restUntilMs, atMs }
    }
    case 'se':
      return { type: 'sessionRested', session: strings[first as number]!, atMs }
    case 'Z':
      return { type: 'brokerStalled', ms: first as number, atMs }
    case 'lb':
      return { type: 'leasesBegun', session: strings[first as number]!, lease: second as number, atMs }
    case 'sd': {
      const graceEndsAtMs = instantFrom(atMs, second)
      return { type: 'sessionDisconnected', session: strings[first as number]!, graceEndsAtMs, atMs }
    }
    case 'sc':
      return { type: 'sessionClosed', session: strings[first as number]!, atMs }
    case 'cs': {
      const session = strings[first as number]!
      return { type: 'creditSet', session, credit: second as number, queues: third as string[], atMs }
    }
    case 'R':
      return { type: 'taskRestated', task: decodeTask(row, atMs, strings, profiles, firstRef), atMs }
    case 'w':
      return { type: 'taskWatched', id, session: strings[second as number]!, atMs }
    case 'u':
      return { type: 'taskUnwatched', id, session: strings[second as number]!, atMs }
    case 'r':
      return { type: 'taskReadied', id, atMs }
    case 'lr':
      return { type: 'leasesRenewed', session: strings[first as number]!, leases: second as number[], atMs }
    case 'p':
      return { type: 'progressReported', id, progress: second, atMs }
    case 'f': {
      const attempt = third as EventOf<'attemptFailed'>['attempt']
      return {
        type: 'attemptFailed',
        id,
        attempt,
        retryAtMs: instantFrom(atMs, second),
        ...revokedOf(row, 4, strings),
        atMs,
      }
    }
    case 'l':
      return {
        type: 'leaseReleased',
        id,
        retryAtMs: instantFrom(atMs, second),
        ...(third ? { lost: third as Loss } : {}),
        ...revokedOf(row, 4, strings),
        atMs,
      }
    case 'D':
      return {
        type: 'taskDied',
        id,
        reason: second as EventOf<'taskDied'>['reason'],
        error: row[4] === 0 ? undefined : (row[4] as EventOf<'taskDied'>['error']),
        attempt: row[5] === 0 ? undefined : (row[5] as EventOf<'taskDied'>['attempt']),
        forgetAtMs: instantFrom(atMs, third),
        ...revokedOf(row, 6, strings),
        atMs,
      }
    case 'X':
      return { type: 'taskCancelled', id, forgetAtMs: instantFrom(atMs, second), ...revokedOf(row, 3, strings), atMs }
    case 'v':
      return { type: 'taskRedriven', id, atMs }
    case 'F':
      return { type: 'taskForgotten', id, atMs }
    case 'O':
      return { type: 'oldestForgotten', tasks: numbersOf(first), atMs }
    case 'L': {
      const session = strings[first as number]!
      const granted: EventOf<'leasesGranted'> = {
        type: 'leasesGranted',
        session,
        lease: second as number,
        tasks: numbersOf(third),
        atMs,
      }
      if (row[4]) granted.start = row[4] as NonNullable<typeof granted.start>
      if (row[5] === 1) granted.durable = true
      return granted
    }
    default:
      throw new SyntaxError(`unknown event code ${JSON.stringify(code)}`)
  }
}
