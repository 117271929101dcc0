import { describe, expect, test } from 'vitest'
import { Reconnection } from '../../src/checkers/reconnection.ts'
import type { Scenario } from '../../src/index.ts'
import { Stream, welcomeOf } from './stream.ts'

const node = 'worker-1'

/** A worker that has just been started, and its connections one after the other. */
class Reconnecting extends Stream {
  #connection = 0

  constructor(over: Partial<Scenario> = {}) {
    super((sources) => new Reconnection(sources), over)
    this.see({ type: 'nodeStarted', node, incarnation: 1 })
  }

  /** Asks for the next connection. */
  attempt(): this {
    this.#connection += 1
    return this.see({ type: 'connecting', node, connection: this.#connection })
  }

  fail(): this {
    return this.see({ type: 'connectFailed', node, connection: this.#connection })
  }

  hear(message: Parameters<Stream['toNode']>[1]): this {
    return this.see({ type: 'heardByNode', node, connection: this.#connection, message })
  }

  /** A connection that lasts for so long. */
  last(ms: number, code = 1006): this {
    this.attempt().hear(welcomeOf(node)).after(ms)
    return this.lose(code)
  }

  lose(code = 1006): this {
    return this.see({ type: 'disconnected', node, connection: this.#connection, side: 'node', code })
  }
}

describe('[CLIENT-3] a client waits before it comes back', () => {
  test('up to a bound that doubles with every attempt that failed, from 250 ms to 10 s', () => {
    const bounds = [250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000]
    const within = new Reconnecting().attempt().fail()
    for (const ms of bounds)
      within
        .after(ms / 2)
        .attempt()
        .fail()
    expect(within.finish()).toEqual([])
    for (const [failures, ms] of bounds.entries()) {
      const past = new Reconnecting().attempt().fail()
      for (const earlier of bounds.slice(0, failures))
        past
          .after(earlier / 2)
          .attempt()
          .fail()
      expect(past.after(ms + 3).attempt().said).toEqual([
        `worker-1 waited ${ms + 3} ms for attempt ${failures + 1} at a connection, and ${ms} is the most`,
      ])
    }
  })

  test('that starts over when a connection has lasted for ten seconds', () => {
    const unlucky = () => new Reconnecting().attempt().fail().after(200).attempt().fail().after(400)
    expect(unlucky().last(10_003).after(251).attempt().said).toEqual([])
    expect(unlucky().last(10_003).after(253).attempt().said).toEqual([
      'worker-1 waited 253 ms for attempt 1 at a connection, and 250 is the most',
    ])
    expect(unlucky().last(9999).after(999).attempt().said).toEqual([])
    // Which of the two came first cannot be told.
    expect(unlucky().last(10_000).after(5000).attempt().said).toEqual([])
  })

  test('as long as it was asked to, and by chance longer', () => {
    const drained = () => new Reconnecting().attempt().hear(welcomeOf(node)).hear({ type: 'drain', retryAfterMs: 700 })
    const busy = () =>
      new Reconnecting().attempt().hear({ type: 'error', code: 'busy', message: 'full', retryAfterMs: 700 })
    for (const [asked, code] of [
      [drained, 4006],
      [busy, 4008],
    ] as const) {
      expect(asked().lose(code).after(700).attempt().said).toEqual([])
      expect(asked().lose(code).after(950).attempt().said).toEqual([])
      expect(asked().lose(code).after(600).attempt().said).toEqual([
        'worker-1 was to wait 700 ms before it came back, and waited 600',
      ])
      expect(asked().lose(code).after(953).attempt().said).toEqual([
        'worker-1 waited 253 ms for attempt 1 at a connection, and 250 is the most',
      ])
    }
    const refused = () => new Reconnecting().attempt().lose(4008)
    expect(refused().after(1100).attempt().said).toEqual([])
    expect(refused().after(200).attempt().said).toEqual([
      'worker-1 was to wait 1000 ms before it came back, and waited 200',
    ])
  })

  test('unless it stood still, or was started anew', () => {
    const pause = { type: 'faultStarted', fault: { type: 'pause', node, forMs: 9 }, number: 1 } as const
    expect(new Reconnecting().attempt().fail().see(pause).after(9000).attempt().said).toEqual([])
    const over = new Reconnecting().see(pause, { type: 'faultEnded', number: 1 })
    over.see({ type: 'nodeStopped', node, how: 'crashed' }, { type: 'nodeStarted', node, incarnation: 2 })
    expect(over.attempt().fail().after(9000).attempt().said.length).toBe(1)
  })

  test('not as if nothing had failed', () => {
    const eager = (ms: number) => {
      const stream = new Reconnecting().attempt().fail()
      for (let attempts = 0; attempts < 15; attempts += 1) stream.after(ms).attempt().fail()
      return stream
    }
    expect(eager(200).finish()).toEqual([
      'of 15 waits for a connection none was longer than 250 ms, failed attempts or not',
    ])
    expect(eager(200).after(3000).attempt().finish()).toEqual([])
  })

  test('not always as long as can be', () => {
    const stubborn = (...waits: number[]) => {
      const stream = new Reconnecting().attempt().fail()
      for (const ms of waits) stream.after(ms).attempt().fail()
      return stream.finish()
    }
    expect(stubborn(250, 500, 1000, 2000, 4000)).toEqual(['all of 5 waits for a connection were as long as can be'])
    expect(stubborn(250, 500, 1000, 1900, 4000)).toEqual([])
    expect(stubborn(250, 500, 1000, 2000)).toEqual([])
  })

  test('and what cannot be told apart is not judged: two clients on one node', () => {
    const producers = [{ count: 1, arrivals: { kind: 'steady', rate: 1 }, tasks: [], asksLater: 0.5 }] as const
    const stream = new Stream((sources) => new Reconnection(sources), { producers })
    const attempt = { type: 'connecting', node: 'producer-1', connection: 1 } as const
    stream.see({ type: 'nodeStarted', node: 'producer-1', incarnation: 1 }, attempt, { ...attempt, connection: 2 })
    expect(
      stream
        .see({ ...attempt, type: 'connectFailed' })
        .after(9000)
        .see(attempt).said,
    ).toEqual([])
  })
})

describe('[CLIENT-3] what a client was refused while it was connected', () => {
  const refused = { type: 'error', code: 'busy', message: 'too many queues', retryAfterMs: 5000 } as const

  test('is no wish for its return, where it has heard something since or closes for silence', () => {
    const heard = new Reconnecting().attempt().hear(welcomeOf(node)).hear(refused).hear({ type: 'pong', ref: 1 })
    expect(heard.lose().after(100).attempt().said).toEqual([])
    const silent = new Reconnecting().attempt().hear(welcomeOf(node)).hear(refused)
    expect(silent.lose(4007).after(100).attempt().said).toEqual([])
  })

  test('but is where it was the last word', () => {
    const last = new Reconnecting().attempt().hear(welcomeOf(node)).hear(refused)
    expect(last.lose().after(100).attempt().said).toHaveLength(1)
  })
})
