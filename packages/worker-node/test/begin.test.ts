import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import {
  Bodies,
  type BrokerMessage,
  type ClientMessage,
  DEFAULT_LIMITS,
  decodeClientFrame,
  encodeFrames,
  type Start,
  SUBPROTOCOL,
} from '@sluice/protocol'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'
import { patience, Running } from './processes.ts'

const module = join(import.meta.dirname, 'fixtures', 'tasks.ts')
const program = 'packages/worker-node/test/fixtures/worker.ts'

/** A broker that says what the test tells it to, to one worker process. */
class ScriptedBroker {
  readonly #server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => SUBPROTOCOL })
  readonly heard: ClientMessage[] = []
  #peer: WebSocket | undefined

  async url(): Promise<string> {
    await once(this.#server, 'listening')
    this.#server.on('connection', (peer) => {
      this.#peer = peer
      peer.on('message', (data: Buffer) => {
        const decoded = decodeClientFrame(data, DEFAULT_LIMITS)
        if (!decoded.ok) throw new Error(decoded.error.message)
        for (const message of decoded.messages) this.#hear(message)
      })
    })
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  #hear(message: ClientMessage): void {
    this.heard.push(message)
    if (message.type === 'complete') this.say({ type: 'settled', ref: message.ref, refused: [] })
    if (message.type !== 'hello') return
    this.say({
      type: 'welcome',
      version: 1,
      session: 's',
      resumed: false,
      lostLeases: [],
      submitCredit: 1,
      heartbeatMs: 5000,
      graceMs: 5000,
      durability: 'memory',
      begins: true,
      limits: DEFAULT_LIMITS,
    })
  }

  say(...messages: BrokerMessage[]): void {
    for (const frame of encodeFrames(messages, 'binary', DEFAULT_LIMITS)) this.#peer?.send(frame)
  }

  /** Everything in one frame, with leases that count from 1. */
  deliver(...tasks: [queue: string, input: unknown, start?: Start][]): void {
    this.say(
      ...tasks.map(([queue, input, start], index): BrokerMessage => {
        const ids = [`01900000-0000-7000-8000-00000000000${index + 1}`]
        const bodies = Bodies.ofTexts([JSON.stringify(input)])
        return { type: 'deliver', queue, leaseMs: 30_000, ...(start && { start }), ids, leases: [index + 1], bodies }
      }),
    )
  }

  /** Begins, results and failures with their leases, in their order. */
  get story(): string[] {
    return this.heard.flatMap((message) => {
      switch (message.type) {
        case 'begin':
          return [`begin ${message.lease}`]
        case 'complete':
          return message.leases.map((lease) => `complete ${lease}`)
        case 'fail':
          return message.failures.map(({ lease }) => `fail ${lease}`)
        default:
          return []
      }
    })
  }

  close(): void {
    this.#peer?.terminate()
    this.#server.close()
  }
}

let broker: ScriptedBroker
let worker: Running | undefined
async function start(threads: number): Promise<Running> {
  worker = new Running(program, [await broker.url(), module, String(threads), '1000'])
  await expect.poll(() => broker.heard.map(({ type }) => type), patience).toContain('credit')
  return worker
}
beforeEach(() => {
  broker = new ScriptedBroker()
})
afterEach(() => {
  worker?.child.kill('SIGKILL')
  broker.close()
})

describe('a worker process whose handler ends it at once', () => {
  test.each(['announced', 'alone'] as const)(
    '[BEGIN-4] has announced that task and none behind it (start: %s)',
    async (how) => {
      const running = await start(0)
      broker.deliver(['double', { value: 1 }, how], ['exit', null, how], ['double', { value: 3 }, how])
      expect((await running.exited).code, running.output).toBe(3)
      await expect.poll(() => broker.story, patience).toContain('begin 2')
      expect(broker.story).toEqual(['begin 1', 'complete 1', 'begin 2'])
    },
  )

  test('[BEGIN-3] has said nothing of what was not to be announced', async () => {
    const running = await start(0)
    broker.deliver(['sleep', { ms: 60_000 }], ['exit', null])
    expect((await running.exited).code, running.output).toBe(3)
    expect(broker.story).toEqual([])
  })
})

test('[BEGIN-4] of a process whose handler blocks it, the broker has heard the word', async () => {
  await start(0)
  broker.deliver(['block', { ms: 60_000 }, 'announced'], ['double', { value: 2 }, 'announced'])
  await expect.poll(() => broker.story, patience).toEqual(['begin 1'])
})

describe('a worker with threads', () => {
  test('[BEGIN-6] runs a task alone, whatever threads are idle, and in its order', async () => {
    await start(2)
    broker.deliver(['sleep', { ms: 300 }], ['sleep', { ms: 100 }, 'alone'], ['sleep', { ms: 1 }])
    await expect.poll(() => broker.story, patience).toContain('complete 3')
    expect(broker.story).toEqual(['begin 1', 'complete 1', 'begin 2', 'complete 2', 'begin 3', 'complete 3'])
  })

  test('fails the task whose thread ends, and goes on with what waited for it', async () => {
    await start(2)
    broker.deliver(['exit', null, 'alone'], ['double', { value: 2 }])
    await expect.poll(() => broker.story, patience).toContain('complete 2')
    expect(broker.story).toEqual(['begin 1', 'fail 1', 'begin 2', 'complete 2'])
  })
})
