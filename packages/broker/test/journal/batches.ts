import type { Event, EventOf, TaskOptions } from '@sluice/engine'
import { type Batch, bodyRef, type Journal } from '../../src/journal/journal.ts'

export const options: TaskOptions = {
  priority: 5,
  delayMs: 0,
  ttlMs: 0,
  leaseMs: 30_000,
  timeLimitMs: 0,
  resultTtlMs: 3_600_000,
  retry: { kind: 'exponential', attemptsMax: 5, delayMs: 1000, delayMsMax: 60_000, jitter: 'full' },
}

function uuid(n: number): string {
  return `0190a6f0-0000-7000-8000-${String(n).padStart(12, '0')}`
}

/** An event of accepted tasks, of one where `changes` do not say otherwise. */
export function acceptedEvent(
  seq: number,
  body: number,
  changes: Partial<EventOf<'tasksAccepted'>> = {},
): EventOf<'tasksAccepted'> {
  return {
    type: 'tasksAccepted',
    queue: 'photos',
    options,
    contentType: undefined,
    watcher: undefined,
    ref: 1,
    index: 0,
    seq,
    body,
    ids: [uuid(seq)],
    bytes: [100],
    digests: [3_000_000_000 + seq],
    atMs: 1_700_000_000_000,
    ...changes,
  }
}

/** A batch of accepted tasks, one for each of these bodies. */
export function batchOfBodies(batch: number, bodies: readonly Uint8Array[], queue = 'photos'): Batch {
  const seq = batch * 1000
  const event = acceptedEvent(seq, bodyRef(batch, 0), {
    queue,
    ids: bodies.map((_, index) => uuid(seq + index)),
    bytes: bodies.map(({ length }) => length),
    digests: bodies.map((_, index) => index),
    atMs: 1_700_000_000_000 + batch,
  })
  return { batch, events: [event], bodies: Buffer.concat(bodies) }
}

export function textBatch(batch: number, ...texts: string[]): Batch {
  return batchOfBodies(
    batch,
    texts.map((text) => new TextEncoder().encode(text)),
  )
}

/** Everything a load hands over, and the last batch number. */
export async function loadAll(journal: Journal): Promise<{ last: number; batches: [number, Event[]][] }> {
  const batches: [number, Event[]][] = []
  const last = await journal.load((batch, events) => batches.push([batch, events]))
  return { last, batches }
}

/** Settles as the append does, whether it throws or rejects. */
export async function append(journal: Journal, batch: Batch): Promise<void> {
  await journal.append(batch)
}
