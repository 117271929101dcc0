import {
  type BrokerCore,
  createBrokerCore,
  DEFAULT_HOST_CONFIG,
  type HostConfig,
  type HostLog,
  memoryJournal,
} from '@sluice/broker/core'
import {
  type Client,
  type ClientOptions,
  createClient,
  createWorker,
  type Platform,
  type Worker,
  type WorkerOptions,
} from '@sluice/client'
import { type EngineConfig, engineConfig } from '@sluice/engine'
import { Connection } from './connection.ts'
import { Turns } from './turns.ts'
import { VirtualClock } from './virtual-clock.ts'

export interface TestBrokerOptions {
  /** Bounds and periods of the queues, as `createBroker` takes them. */
  engine?: Partial<EngineConfig>
  /** Bounds and periods of the connections. */
  hosting?: Partial<HostConfig>
  /** The wall clock at the beginning, in ms since 1970. Default 2026-01-01 in UTC. */
  startsAtMs?: number
  /** What back-off is drawn from, in [0, 1). Default 0.5 each time: a delay with jitter is the middle of its range. */
  random?: () => number
  /** Hears what the broker logs. Default: nobody. */
  logger?: HostLog
}

/** A broker in memory, its clients and workers, under one virtual clock. */
export interface TestBroker {
  /** It moves by `advance` alone. */
  readonly clock: VirtualClock
  /** For `createClient` and `createWorker`, where a program makes its own: `{ url, platform }`. */
  readonly url: string
  readonly platform: Platform
  /** A client that is closed with the broker. */
  client(options?: Omit<ClientOptions, 'url' | 'platform'>): Client
  /** A worker that has been started and is closed with the broker. */
  worker(options: Omit<WorkerOptions, 'url' | 'platform'>): Worker
  /** Lets happen what needs no time: submissions, deliveries, handlers that only wait for promises. */
  settle(): Promise<void>
  /**
   * Moves the clock on by `ms`, deadline by deadline: delays, retries, leases, time limits and heartbeats happen in their order.
   * What a handler waits for outside the clock, such as a file, takes its own time.
   */
  advance(ms: number): Promise<void>
  /** Ends the broker and starts it again with what it had stored; connections are lost, and come back when time moves. */
  restart(): Promise<void>
  /** Closes its clients and workers, then the broker. */
  close(): Promise<void>
}

/** 2026-01-01 in UTC. */
const STARTS_AT_MS = 1_767_225_600_000

/** Memory is not worth a look each second, and a day under the clock has 86,400 of them. */
const COMPACT_EVERY_MS = 3_600_000

const silent: HostLog = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

/**
 * Starts a broker in memory, without a port: the code of the real one, with a clock that stands still.
 * @throws RangeError naming each setting that cannot work
 */
export async function createTestBroker(options: TestBrokerOptions = {}): Promise<TestBroker> {
  const { startsAtMs = STARTS_AT_MS, random = () => 0.5, logger = silent } = options
  const clock = new VirtualClock()
  const turns = new Turns()
  const journal = memoryJournal()
  const connections = new Set<Connection>()
  const members: { close(): Promise<void> }[] = []
  let draws = 0
  const epochMs = () => startsAtMs + clock.nowMs
  const setTimer = (fn: () => void, ms: number) => clock.setTimer(fn, ms)

  const start = async (): Promise<BrokerCore> => {
    const core = createBrokerCore({
      journal,
      platform: {
        nowMs: () => Math.floor(epochMs()),
        setTimer,
        afterTurn: turns.later,
        random,
        secretId: () => `secret-${draws++}`,
      },
      engine: engineConfig(options.engine),
      config: { ...DEFAULT_HOST_CONFIG, compactEveryMs: COMPACT_EVERY_MS, ...options.hosting },
      log: logger,
      version: 'testing',
      onFailure: () => {},
    })
    await core.start()
    return core
  }
  let core = await start()

  const platform: Platform = {
    now: () => clock.nowMs,
    setTimer,
    random,
    randomBytes: (count) => numbered(draws++, count),
    epochMs,
    connect: () => {
      const connection = new Connection(turns.later, (transport) => core.connect(transport))
      for (const other of connections) if (other.isClosed) connections.delete(other)
      connections.add(connection)
      return connection.socket
    },
  }
  const own = { url: 'ws://broker.test', platform }
  const settle = () => turns.rest()

  const advance = async (ms: number): Promise<void> => {
    const endMs = clock.nowMs + ms
    await settle()
    for (let atMs = clock.nextAtMs; atMs !== undefined && atMs <= endMs; atMs = clock.nextAtMs) {
      clock.step()
      await settle()
    }
    clock.advance(endMs - clock.nowMs)
  }

  /** Waits for what may need turns and time, and gives it both. */
  const led = async (promise: Promise<unknown>): Promise<void> => {
    let isOver = false
    const over = promise.finally(() => {
      isOver = true
    })
    over.catch(() => {})
    await settle()
    while (!isOver && clock.step()) await settle()
    await over
  }

  return {
    ...own,
    clock,
    client(clientOptions = {}) {
      const client = createClient({ ...clientOptions, ...own })
      members.push(client)
      return client
    },
    worker(workerOptions) {
      const worker = createWorker({ ...workerOptions, ...own })
      // The program hears of a refusal by `onError`, or by calling it again.
      worker.start().catch(() => {})
      members.push(worker)
      return worker
    },
    settle,
    advance,
    async restart() {
      await led(core.stop())
      for (const connection of connections) connection.end()
      core = await start()
      await settle()
    },
    async close() {
      await led(Promise.all(members.splice(0).map((member) => member.close())))
      await led(core.stop())
    },
  }
}

/** Bytes that differ from those of every other number. */
function numbered(number: number, count: number): Uint8Array {
  const bytes = new Uint8Array(count)
  for (let at = count - 1, rest = number; at >= 0 && rest > 0; at -= 1, rest = Math.floor(rest / 256))
    bytes[at] = rest % 256
  return bytes
}
