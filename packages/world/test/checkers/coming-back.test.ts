import { describe, expect, test } from 'vitest'
import { ComingBack } from '../../src/checkers/coming-back.ts'
import type { Scenario } from '../../src/index.ts'
import { Stream, sessionOf, welcomeOf } from './stream.ts'

const node = 'worker-1'

/** A worker that has just been started, and its connections one after the other. */
class Client extends Stream {
  #connection = 0

  constructor(over: Partial<Scenario> = {}) {
    super((sources) => new ComingBack(sources), over)
    this.see({ type: 'nodeStarted', node, incarnation: 1 })
  }

  connect(): this {
    this.#connection += 1
    return this.see({ type: 'connecting', node, connection: this.#connection })
  }

  open(): this {
    return this.connect().see({ type: 'connected', node, connection: this.#connection })
  }

  greet(session?: string): this {
    const resume = session === undefined ? {} : { resume: { session, leases: [] } }
    const message = { type: 'hello' as const, versions: [1], roles: ['worker' as const], ...resume }
    return this.see({ type: 'sentToBroker', node, connection: this.#connection, message })
  }

  hear(message: Parameters<Stream['toNode']>[1]): this {
    return this.see({ type: 'heardByNode', node, connection: this.#connection, message })
  }

  welcomed(): this {
    return this.open().greet().hear(welcomeOf(node))
  }

  lose(code: number): this {
    return this.see({ type: 'disconnected', node, connection: this.#connection, side: 'node', code })
  }

  /** Something is seen this much later. */
  later(ms: number): string[] {
    return this.after(ms).see({ type: 'nodeStarted', node: 'worker-2', incarnation: 1 }).said
  }
}

const error = (code: 'unauthorized' | 'busy', retryAfterMs?: number) =>
  ({ type: 'error', code, message: '', ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }) as const

describe('[CLIENT-4] a client whose connection is lost', () => {
  test('comes back within 10 s', () => {
    expect(new Client().welcomed().lose(1006).after(10_000).connect().said).toEqual([])
    expect(new Client().welcomed().lose(1006).later(10_051)).toEqual(['worker-1 has been away for 10051 ms'])
  })

  test('or as much later as it was asked to', () => {
    const drain = { type: 'drain', retryAfterMs: 3000 } as const
    expect(new Client().welcomed().hear(drain).lose(1001).after(13_000).connect().said).toEqual([])
    expect(new Client().open().hear(error('busy', 2000)).lose(4008).later(12_051)).toHaveLength(1)
    expect(new Client().open().lose(4008).later(11_000)).toEqual([])
    expect(new Client().open().lose(4008).later(11_051)).toHaveLength(1)
  })

  test('waits 10 s for it to open and 10 s for its welcome', () => {
    expect(new Client().connect().later(10_051)).toEqual(['worker-1 has been connecting for 10051 ms'])
    expect(new Client().open().later(10_051)).toEqual(['worker-1 has been greeting for 10051 ms'])
    expect(new Client().welcomed().later(60_000)).toEqual([])
  })

  test('but one that was slow has time, and one that has stopped is not there', () => {
    const pause = { type: 'pause', node, forMs: 10 } as const
    const slow = new Client().see({ type: 'faultStarted', fault: pause, number: 1 })
    expect(slow.connect().later(20_000)).toEqual([])
    expect(new Client().connect().see({ type: 'nodeStopped', node, how: 'crashed' }).later(20_000)).toEqual([])
  })

  test('has one connection at a time', () => {
    expect(new Client().welcomed().connect().said).toEqual(['worker-1 opens connection 2 beside connection 1'])
    expect(new Client().connect().connect().said).toHaveLength(1)
    expect(new Client().welcomed().lose(4007).connect().said).toEqual([])
    const fault = { type: 'pause', node, forMs: 5000 } as const
    const late = new Client().welcomed().see({ type: 'faultStarted', fault, number: 1 })
    expect(late.see({ type: 'faultEnded', number: 1 }).connect().said).toEqual([])
  })
})

describe('[CLIENT-4] a client asks for the session', () => {
  test('that it had', () => {
    const back = () => new Client().welcomed().lose(1006).open()
    expect(back().greet(sessionOf(node)).said).toEqual([])
    expect(back().greet().said).toEqual(['worker-1 had a session and comes back without asking for it'])
    expect(back().greet('another').said).toEqual(['worker-1 asks for a session that it was not given last'])
  })

  test('and for none where it has had none, or in another life', () => {
    expect(new Client().open().greet('another').said).toHaveLength(1)
    const anew = new Client().welcomed().see({ type: 'nodeStarted', node, incarnation: 2 })
    expect(anew.open().greet().said).toEqual([])
  })
})

describe('[CLIENT-4] a client that is refused for good', () => {
  const stopped = { type: 'nodeStopped', node, how: 'failed', reason: 'no' } as const

  test('does not come back, be it by the code or by the last word', () => {
    const complaint = ['worker-1 was refused for good and tries again']
    expect(new Client().open().lose(4001).connect().said).toEqual(complaint)
    expect(new Client().open().hear(error('unauthorized')).lose(1006).connect().said).toEqual(complaint)
    expect(new Client().open().hear(error('unauthorized')).lose(1006).see(stopped).said).toEqual([])
  })

  test('is none that closes for silence', () => {
    expect(new Client().welcomed().hear(error('unauthorized')).lose(4007).connect().said).toEqual([])
  })

  test('is one that was, and not told beforehand to come back', () => {
    const complaint = ['worker-1 has given up (no), and nobody had refused it for good']
    expect(new Client().open().lose(4008).see(stopped).said).toEqual(complaint)
    expect(new Client().open().hear(error('busy', 5)).lose(4000).see(stopped).said).toEqual(complaint)
    const drain = { type: 'drain', retryAfterMs: 5 } as const
    expect(new Client().welcomed().hear(drain).lose(4000).see(stopped).said).toEqual(complaint)
  })
})
