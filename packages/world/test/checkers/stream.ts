import { DEFAULT_HOST_CONFIG } from '@sluice/broker/core'
import { DEFAULT_CONFIG, type Event, type EventOf, type State, type TaskOptions } from '@sluice/engine'
import { Bodies, type BrokerMessage, type ClientMessage, type Welcome, type WireError } from '@sluice/protocol'
import { expect } from 'vitest'
import { Chronicle } from '../../src/checkers/chronicle.ts'
import { Runs } from '../../src/checkers/runs.ts'
import type { Sources } from '../../src/checkers/sources.ts'
import { Stores } from '../../src/checkers/stores.ts'
import { Wire } from '../../src/checkers/wire.ts'
import type { Checker, Observation, Scenario } from '../../src/index.ts'
import type { Holdings, ObservationBody, Violate } from '../../src/observation.ts'

export const SCENARIO: Scenario = {
  name: 'by hand',
  durationMs: 1000,
  settleMs: 1000,
  journal: { appendMs: { kind: 'constant', value: 0 }, readMs: { kind: 'constant', value: 0 } },
  network: { delayMs: { kind: 'constant', value: 0 } },
  producers: [],
  workers: [
    { count: 2, queues: ['q'], concurrency: 1, service: {} },
    { count: 1, queues: ['q'], concurrency: 1, service: {}, falsehoods: ['repeats'] },
  ],
}

/** What was seen, made by hand, and what one checker says of it. Tasks are `t1`, `t2`, ...: their numbers are their places. */
export class Stream {
  readonly said: string[] = []
  nowMs = 0
  state: State | undefined
  held: Holdings | undefined
  brokerMs: number | undefined
  readonly #checker: Checker
  /** A test quotes each rule that it breaks. */
  readonly #violate: Violate = (message, _, rule = this.#checker.rule) => {
    expect(expect.getState().currentTestName).toContain(`[${rule}]`)
    this.said.push(message)
  }
  #batch = 0

  constructor(build: (sources: Sources) => Checker, over: Partial<Scenario> = {}) {
    this.#checker = build({
      scenario: { ...SCENARIO, ...over },
      chronicle: new Chronicle(),
      wire: new Wire(),
      runs: new Runs(),
      stores: new Stores(),
    })
  }

  see(...bodies: ObservationBody[]): this {
    for (const body of bodies) this.#checker.see({ ...body, atMs: this.nowMs } as Observation, this, this.#violate)
    return this
  }

  after(ms: number): this {
    this.nowMs += ms
    return this
  }

  /** Hands a batch to the journal, which is not durable yet. */
  write(...events: Event[]): this {
    this.#batch += 1
    return this.see({ type: 'appending', batch: this.#batch, events })
  }

  durable(): this {
    return this.see({ type: 'appended', batch: this.#batch })
  }

  /** A batch, and its end. */
  append(...events: Event[]): this {
    return this.write(...events).durable()
  }

  /** The broker reads its journal again, of which this many batches are gone. */
  recover(lost = 0): this {
    if (lost > 0) this.see({ type: 'lost', fromBatch: this.#batch - lost + 1, torn: false })
    this.#batch -= lost
    return this.see({ type: 'recovered', incarnation: 2, firstBatch: 1, lastBatch: this.#batch })
  }

  /** The broker has heard, or has sent, on the connection of this node. */
  toBroker(node: string, message: ClientMessage): this {
    return this.see({ type: 'heardByBroker', node, connection: connectionOf(node), message })
  }

  toNode(node: string, message: BrokerMessage): this {
    return this.see({ type: 'sentByBroker', node, connection: connectionOf(node), message })
  }

  /** As `toNode`, and it has arrived. */
  told(node: string, message: BrokerMessage): this {
    this.toNode(node, message)
    return this.see({ type: 'heardByNode', node, connection: connectionOf(node), message })
  }

  /** A session of its own for this node. */
  welcome(node: string, over: Partial<Welcome> = {}): this {
    this.see({ type: 'connected', node, connection: connectionOf(node) })
    return this.told(node, welcomeOf(node, over))
  }

  finish(): string[] {
    this.#checker.finish?.(this, this.#violate)
    return this.said
  }
}

export function connectionOf(node: string): number {
  return node.startsWith('worker') ? 100 + Number(node.at(-1)) : Number(node.at(-1))
}

export function sessionOf(node: string): string {
  return `session of ${node}`
}

export function welcomeOf(node: string, over: Partial<Welcome> = {}): Welcome {
  return {
    type: 'welcome',
    version: 1,
    session: sessionOf(node),
    resumed: false,
    lostLeases: [],
    submitCredit: 10,
    heartbeatMs: 5000,
    graceMs: 10_000,
    durability: 'strict',
    limits: DEFAULT_HOST_CONFIG.limits,
    ...over,
  }
}

// ─── events ──────────────────────────────────────────────────────────────────────────────────────────────────────────

export type Options = Partial<Omit<TaskOptions, 'retry'>> & { retry?: Partial<TaskOptions['retry']> }

export function seqOf(id: string): number {
  return Number(id.slice(1))
}

export function accepted(
  id: string,
  options: Options = {},
  atMs = 0,
  queue = 'q',
  bytes = 2,
): EventOf<'tasksAccepted'> {
  const { defaults } = DEFAULT_CONFIG
  return {
    type: 'tasksAccepted',
    queue,
    options: { ...defaults, ...options, retry: { ...defaults.retry, ...options.retry } },
    contentType: undefined,
    watcher: undefined,
    ref: 1,
    index: 0,
    seq: seqOf(id),
    body: 0,
    ids: [id],
    bytes: [bytes],
    digests: [1],
    atMs,
  }
}

export function granted(node: string, lease: number, id: string, atMs = 0): EventOf<'leasesGranted'> {
  return { type: 'leasesGranted', session: sessionOf(node), lease, tasks: [seqOf(id)], atMs }
}

export function succeeded(id: string, atMs = 0): EventOf<'tasksSucceeded'> {
  return { type: 'tasksSucceeded', tasks: [seqOf(id)], contentType: undefined, result: 0, bytes: [3], atMs }
}

export function failed(
  id: string,
  attempt: number,
  retryAfterMs = 0,
  how: 'failed' | 'lease_expired' | 'session_lost' = 'failed',
  atMs = 0,
): EventOf<'attemptFailed'> {
  return { type: 'attemptFailed', id, attempt: { attempt, endedAtMs: atMs, how }, retryAtMs: atMs + retryAfterMs, atMs }
}

export function released(id: string): EventOf<'leaseReleased'> {
  return { type: 'leaseReleased', id, retryAtMs: 0, atMs: 0 }
}

export function died(
  id: string,
  reason: EventOf<'taskDied'>['reason'],
  attempt?: EventOf<'taskDied'>['attempt'],
  atMs = 0,
): EventOf<'taskDied'> {
  return { type: 'taskDied', id, reason, error: undefined, attempt, forgetAtMs: atMs + DEFAULT_CONFIG.deadTtlMs, atMs }
}

export function cancelled(id: string, atMs = 0): EventOf<'taskCancelled'> {
  return { type: 'taskCancelled', id, forgetAtMs: atMs + DEFAULT_CONFIG.defaults.resultTtlMs, atMs }
}

export function forgotten(id: string, atMs = 0): EventOf<'taskForgotten'> {
  return { type: 'taskForgotten', id, atMs }
}

export function early(...ids: string[]): EventOf<'oldestForgotten'> {
  return { type: 'oldestForgotten', tasks: ids.map(seqOf), atMs: 0 }
}

export function readied(id: string, atMs = 0): EventOf<'taskReadied'> {
  return { type: 'taskReadied', id, atMs }
}

/** A session that takes from `q`. */
export function opened(node: string, credit = 10): Event[] {
  const session = sessionOf(node)
  return [
    { type: 'sessionOpened', session, roles: ['worker'], atMs: 0 },
    { type: 'creditSet', session, credit, queues: ['q'], atMs: 0 },
  ]
}

// ─── messages ────────────────────────────────────────────────────────────────────────────────────────────────────────

export function submit(ref: number, ids: string[], body = '"x"'): Extract<ClientMessage, { type: 'submit' }> {
  return { type: 'submit', ref, queue: 'q', ids, bodies: Bodies.ofTexts(ids.map(() => body)) }
}

export function deliver(lease: number, id: string, attempt = 1): Extract<BrokerMessage, { type: 'deliver' }> {
  return {
    type: 'deliver',
    queue: 'q',
    leaseMs: 30_000,
    ids: [id],
    leases: [lease],
    attempts: [attempt],
    bodies: Bodies.ofTexts(['"x"']),
  }
}

export function complete(ref: number, leases: number[], result = '"r"'): Extract<ClientMessage, { type: 'complete' }> {
  return { type: 'complete', ref, leases, bodies: Bodies.ofTexts(leases.map(() => result)) }
}

export function fail(
  ref: number,
  lease: number,
  more: { retryable?: boolean; retryAfterMs?: number } = {},
): Extract<ClientMessage, { type: 'fail' }> {
  return { type: 'fail', ref, failures: [{ lease, error: { message: 'no' }, ...more }] }
}

export function submitted(ref: number, ...errors: WireError[]): BrokerMessage {
  return { type: 'submitted', ref, refused: errors.map((error, index) => ({ index, error })) }
}

export function revoke(lease: number): BrokerMessage {
  return { type: 'revoke', leases: [lease], reason: 'cancelled' }
}

export function settled(ref: number, refused: number[] = []): BrokerMessage {
  const error = { code: 'lease_lost' as const, message: 'lost' }
  return { type: 'settled', ref, refused: refused.map((index) => ({ index, error })) }
}

export function hasResult(id: string, result = '"r"'): BrokerMessage {
  return { type: 'succeeded', ids: [id], bodies: Bodies.ofTexts([result]) }
}

export function hasEnded(id: string, status: 'dead' | 'cancelled', attempts = 1): BrokerMessage {
  return { type: 'ended', tasks: [{ id, status, attempts, ...(status === 'dead' ? { reason: 'not_retryable' } : {}) }] }
}
