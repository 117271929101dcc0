import type { ClientMessage, WireError } from '@sluice/protocol'
import { silentLogger } from '../../src/index.ts'
import { createOutboxClient } from '../../src/outbox/create-outbox-client.ts'
import { memoryStore } from '../../src/outbox/memory-store.ts'
import type { OutboxClient, OutboxClientOptions } from '../../src/outbox/outbox-client.ts'
import { OutboxError, type OutboxErrorCode } from '../../src/outbox/outbox-error.ts'
import type { OutboxStore } from '../../src/outbox/store.ts'
import type { Channel, Locks, TabGroup } from '../../src/outbox/surroundings.ts'
import { bodiesOf, type FakeConnection, FakeWorld } from '../fake-world.ts'

/** Locks of one origin, as the Web Locks API has them: first come, first served, and a theft ends a holder. */
export class FakeLocks implements Locks {
  readonly #holders = new Map<string, { onStolen: () => void }>()
  readonly #waiting: { name: string; grant: () => void }[] = []

  request: Locks['request'] = (name, onStolen, { signal, steal }) =>
    new Promise((resolve, reject) => {
      const holder = { onStolen }
      const release = (): void => {
        if (this.#holders.get(name) !== holder) return
        this.#holders.delete(name)
        const next = this.#waiting.findIndex((wait) => wait.name === name)
        if (next !== -1) this.#waiting.splice(next, 1)[0]!.grant()
      }
      const grant = (): void => {
        this.#holders.set(name, holder)
        resolve({ release })
      }
      const held = this.#holders.get(name)
      if (held === undefined) grant()
      else if (steal) {
        grant()
        held.onStolen()
      } else {
        const wait = { name, grant }
        this.#waiting.push(wait)
        signal.addEventListener('abort', () => {
          const place = this.#waiting.indexOf(wait)
          if (place !== -1) this.#waiting.splice(place, 1)
          reject(signal.reason as Error)
        })
      }
    })
}

/** Channels of one origin. A message arrives in a later turn, as a copy. */
export class FakeChannels {
  readonly #channels = new Map<string, Set<Channel & { isFrozen: () => boolean }>>()

  join(name: string, isFrozen: () => boolean): Channel {
    const all = this.#channels.get(name) ?? new Set()
    this.#channels.set(name, all)
    const channel = {
      isFrozen,
      onmessage: (_: unknown): void => {},
      post: (message: unknown): void => {
        if (isFrozen()) return
        const copy = structuredClone(message)
        for (const other of all) {
          if (other === channel) continue
          void Promise.resolve().then(() => {
            if (all.has(other) && !other.isFrozen()) other.onmessage(copy)
          })
        }
      },
      close: (): void => void all.delete(channel),
    }
    all.add(channel)
    return channel
  }
}

/** A store that several tabs share. It outlives them, and fails when told to. */
export class FakeStorage {
  readonly #kept = memoryStore()
  /** What every method fails with now. */
  fails: OutboxErrorCode | undefined
  /** How often each method was called. */
  readonly calls: Record<string, number> = {}

  open(): OutboxStore {
    let isClosed = false
    const guarded = Object.fromEntries(
      Object.entries(this.#kept)
        .filter(([, member]) => typeof member === 'function')
        .map(([name, method]) => [
          name,
          async (...args: unknown[]): Promise<unknown> => {
            this.calls[name] = (this.calls[name] ?? 0) + 1
            if (isClosed) throw new OutboxError('closed', 'the store is closed')
            if (this.fails !== undefined) throw new OutboxError(this.fails, `the storage fails (${this.fails})`)
            return structuredClone(await (method as (...args: unknown[]) => Promise<unknown>)(...args))
          },
        ]),
    )
    return {
      ...(guarded as unknown as OutboxStore),
      isDurable: true,
      close: () => {
        isClosed = true
      },
    }
  }
}

/** A broker that accepts, refuses and finishes tasks as it is told. */
export class FakeBroker {
  readonly world: FakeWorld
  /** The inputs of the accepted tasks, by id, in the order of their acceptance. */
  readonly accepted = new Map<string, { queue: string; input: unknown; connection: FakeConnection }>()
  /** The ids in the order in which submissions arrived, repetitions included. */
  readonly arrived: string[] = []
  readonly cancelled = new Set<string>()
  readonly results = new Map<string, unknown>()
  /** What is refused, by queue. */
  readonly refuses = new Map<string, Omit<WireError, 'message'>>()
  /** What a watch is refused with. */
  refusesWatch: WireError | undefined
  /** What a hello is answered with instead of a welcome. */
  rejects: WireError['code'] | undefined
  /** The tokens of the hellos. */
  readonly tokens: (string | undefined)[] = []
  /** Whether submissions and cancellations stay without an answer. */
  isSilent = false
  /** The tasks that have ended otherwise, by id. */
  readonly ends = new Map<string, 'dead' | 'cancelled'>()
  readonly #held: [FakeConnection, ClientMessage][] = []
  isDown = false
  readonly #seen = new Map<FakeConnection, number>()
  readonly #places = new Map<string, { connection: FakeConnection; ref: number; index: number }>()
  readonly #watched = new Map<string, Set<FakeConnection>>()

  constructor(world: FakeWorld) {
    this.world = world
  }

  /** Answers everything that has arrived. The result says whether something had. */
  serve(): boolean {
    let isAny = false
    for (const connection of this.world.connections) {
      if (!this.#seen.has(connection)) {
        this.#seen.set(connection, 0)
        isAny = true
        if (this.isDown) connection.close(1006)
        else connection.open()
      }
      for (let next = this.#seen.get(connection)!; next < connection.received.length; next++) {
        this.#seen.set(connection, next + 1)
        isAny = true
        this.#answer(connection, connection.received[next]!)
      }
    }
    return isAny
  }

  #answer(connection: FakeConnection, message: ClientMessage): void {
    switch (message.type) {
      case 'hello':
        this.tokens.push(message.token)
        if (this.rejects === undefined) {
          connection.say(this.world.welcomeMessage())
          return
        }
        connection.say({ type: 'error', code: this.rejects, message: `refused: ${this.rejects}` })
        connection.close(4001)
        return
      case 'ping':
        connection.say({ type: 'pong', ref: message.ref })
        return
      case 'submit': {
        this.arrived.push(...message.ids)
        if (this.isSilent) {
          this.#held.push([connection, message])
          return
        }
        const refusal = this.refuses.get(message.queue)
        const refused: { index: number; error: WireError }[] = []
        for (const [index, id] of message.ids.entries()) {
          if (refusal !== undefined) refused.push({ index, error: { ...refusal, message: 'no' } })
          else {
            const input = message.contentType === undefined ? message.bodies.json(index) : message.bodies.at(index)
            if (!this.accepted.has(id)) this.accepted.set(id, { queue: message.queue, input, connection })
            this.#places.set(id, { connection, ref: message.ref, index })
          }
        }
        connection.say({ type: 'submitted', ref: message.ref, refused })
        return
      }
      case 'watch':
        if (this.refusesWatch !== undefined) {
          for (const [index] of message.ids.entries())
            connection.say({ type: 'error', ref: message.ref, field: `ids[${index}]`, ...this.refusesWatch })
          connection.say({ type: 'watched', ref: message.ref, unknown: [] })
          return
        }
        for (const id of message.ids) this.#watched.set(id, (this.#watched.get(id) ?? new Set()).add(connection))
        connection.say({ type: 'watched', ref: message.ref, unknown: [] })
        for (const id of message.ids) {
          if (this.results.has(id)) this.finish(id, this.results.get(id))
          else if (this.ends.has(id)) this.end(id, this.ends.get(id)!)
        }
        return
      case 'cancel': {
        if (this.isSilent) {
          this.#held.push([connection, message])
          return
        }
        const refused: { index: number; error: WireError }[] = []
        for (const [index, id] of message.ids.entries()) {
          const hasEnded = this.results.has(id) || this.ends.has(id)
          const code = hasEnded ? 'task_finished' : this.accepted.has(id) ? undefined : 'unknown_task'
          if (code !== undefined) refused.push({ index, error: { code, message: code } })
          else this.cancelled.add(id)
        }
        connection.say({ type: 'cancelled', ref: message.ref, refused })
      }
    }
  }

  /** The task has this result. The broker tells it to each connection that watches. */
  finish(id: string, result: unknown): void {
    this.results.set(id, result)
    const place = this.#places.get(id)
    place?.connection.say({ type: 'succeeded', ref: place.ref, indexes: [place.index], bodies: bodiesOf(result) })
    for (const connection of this.#watched.get(id) ?? [])
      connection.say({ type: 'succeeded', ids: [id], bodies: bodiesOf(result) })
  }

  /** The task has ended without a result. */
  end(id: string, status: 'dead' | 'cancelled'): void {
    this.ends.set(id, status)
    const ended = { status, attempts: 1, ...(status === 'dead' ? { reason: 'not_retryable' as const } : {}) }
    const place = this.#places.get(id)
    place?.connection.say({ type: 'ended', tasks: [{ ref: place.ref, index: place.index, ...ended }] })
    for (const connection of this.#watched.get(id) ?? []) connection.say({ type: 'ended', tasks: [{ id, ...ended }] })
  }

  /** Answers what it was silent about. */
  speak(): void {
    this.isSilent = false
    for (const [connection, message] of this.#held.splice(0)) this.#answer(connection, message)
  }

  progress(id: string, progress: unknown): void {
    const { connection, ref, index } = this.#places.get(id)!
    connection.say({ type: 'progress', tasks: [{ ref, index, progress }] })
  }

  /** Every connection breaks, and new ones fail until the broker is `up`. */
  down(): void {
    this.isDown = true
    for (const connection of this.world.connections) connection.close(1006)
  }
}

interface FakeTab {
  client: OutboxClient
  /** The tab is gone: its lock is free, and nothing of it runs any more. */
  kill: () => void
  isFrozen: boolean
}

/** Tabs of one origin, with storage, locks, channels and a broker. */
export class FakeTabs {
  readonly world = new FakeWorld()
  readonly broker = new FakeBroker(this.world)
  readonly storage = new FakeStorage()
  readonly locks = new FakeLocks()
  readonly channels = new FakeChannels()

  open(options: Partial<OutboxClientOptions> = {}): FakeTab {
    const releases = new Set<() => void>()
    let isDead = false
    const tab = { isFrozen: false }
    const group: TabGroup = {
      locks: {
        request: async (name, onStolen, lockOptions) => {
          const lock = await this.locks.request(name, () => (isDead ? undefined : onStolen()), lockOptions)
          releases.add(lock.release)
          if (isDead) lock.release()
          return lock
        },
      },
      channel: (name) => this.channels.join(name, () => isDead || tab.isFrozen),
    }
    const client = createOutboxClient({
      url: 'ws://broker',
      owner: 'ada',
      store: this.storage.open(),
      group,
      platform: {
        ...this.world.platform,
        setTimer: (fn, ms) => this.world.platform.setTimer(() => (isDead ? undefined : fn()), ms),
      },
      logger: silentLogger,
      ...options,
    })
    const kill = (): void => {
      isDead = true
      for (const release of releases) release()
    }
    return Object.assign(tab, { client, kill })
  }

  /** Everything happens that needs no time. */
  async settle(): Promise<void> {
    do await this.world.settle()
    while (this.broker.serve())
  }

  async pass(ms: number): Promise<void> {
    const { clock } = this.world
    const untilMs = clock.nowMs + ms
    await this.settle()
    for (let timer = clock.next(untilMs); timer !== undefined; timer = clock.next(untilMs)) {
      timer.fn()
      await this.settle()
    }
    clock.nowMs = untilMs
  }
}
