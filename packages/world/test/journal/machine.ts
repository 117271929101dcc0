import { type Batch, bodyRef, type Journal } from '@sluice/broker/core'
import type { EventOf } from '@sluice/engine'
import { VirtualClock } from '@sluice/testing'
import { expect } from 'vitest'
import { openJournal, SimulatedDisk } from '../../src/journal/index.ts'
import type { ObservationBody } from '../../src/observation.ts'
import { RandomSource } from '../../src/random.ts'
import type { JournalProfile } from '../../src/scenario.ts'

const noTime = { kind: 'constant', value: 0 } as const
const someTime = { kind: 'constant', value: 5 } as const
export const strict: JournalProfile = { appendMs: noTime, readMs: noTime }
export const relaxed: JournalProfile = { ...strict, durability: 'relaxed' }
export const slow: JournalProfile = { appendMs: someTime, readMs: noTime }
export const seeds = Array.from({ length: 200 }, (_, seed) => seed)

export function accepted(n: number): EventOf<'tasksAccepted'> {
  return {
    type: 'tasksAccepted',
    queue: 'photos',
    options: {
      priority: 5,
      delayMs: 0,
      ttlMs: 0,
      leaseMs: 30_000,
      timeLimitMs: 0,
      resultTtlMs: 3_600_000,
      retry: { kind: 'exponential', attemptsMax: 5, delayMs: 1000, delayMsMax: 60_000, jitter: 'full' },
    },
    contentType: undefined,
    watcher: undefined,
    ref: 1,
    index: 0,
    seq: n,
    body: bodyRef(n, 0),
    ids: [`0190a6f0-0000-7000-8000-${String(n).padStart(12, '0')}`],
    bytes: [20],
    digests: [n],
    atMs: 1_800_000_000_000 + n,
  }
}

export function batchOf(batch: number): Batch {
  return { batch, events: [accepted(batch)], bodies: new Uint8Array(20).fill(batch) }
}

/** A disk, and the brokers that open it one after the other. */
export class Machine {
  readonly clock = new VirtualClock()
  readonly disk: SimulatedDisk
  readonly observed: ObservationBody[] = []
  readonly #random: RandomSource
  #incarnation = 0

  constructor(seed: number) {
    this.#random = new RandomSource(seed)
    this.disk = new SimulatedDisk(this.#random.stream('disk'))
  }

  open(profile: JournalProfile): { journal: Journal; stored: number[]; last: number } {
    this.#incarnation += 1
    const journal = openJournal(this.disk, {
      clock: this.clock,
      random: this.#random.stream('journal'),
      profile,
      incarnation: this.#incarnation,
      observe: (observation) => this.observed.push(observation),
    })
    const stored: number[] = []
    const last = journal.load((batch, events) => {
      expect(events).toStrictEqual([accepted(batch)])
      stored.push(batch)
    }) as number
    for (const batch of stored) expect(journal.read(batch)).toEqual(batchOf(batch).bodies)
    return { journal, stored, last }
  }

  /** Of the latest opening. */
  get lost(): ObservationBody | undefined {
    const last = this.observed.findLast(({ type }) => type === 'lost' || type === 'recovered')
    expect(last?.type).toBe('recovered')
    const before = this.observed[this.observed.indexOf(last as ObservationBody) - 1]
    return before?.type === 'lost' ? before : undefined
  }
}

export function upTo(last: number): number[] {
  return Array.from({ length: last }, (_, index) => index + 1)
}
