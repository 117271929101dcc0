import { type EngineConfig, engineConfig } from '@sluice/engine'
import type { Transition } from '@sluice/machines/states'
import {
  Bodies,
  type BrokerMessage,
  type ClientMessage,
  DEFAULT_LIMITS,
  decodeBrokerFrame,
  encodeFrames,
  type FrameKind,
  type Hello,
  type SubmitOptions,
  type TaskName,
} from '@sluice/protocol'
import { expect } from 'vitest'
import type { AccessControl } from '../../src/core/access/access-control.ts'
import { DEFAULT_QUOTAS, type QuotaConfig } from '../../src/core/access/quotas.ts'
import { Compaction } from '../../src/core/compaction.ts'
import { Host } from '../../src/core/host.ts'
import { HostApi } from '../../src/core/host-api.ts'
import {
  type Batch,
  type Connection,
  DEFAULT_HOST_CONFIG,
  type HostConfig,
  type HostPlatform,
  type Journal,
  type Transport,
} from '../../src/core/index.ts'
import { BATCH_BODY_BYTES_MAX, type Durability } from '../../src/journal/journal.ts'
import { memoryJournal } from '../../src/journal/memory.ts'

type MessageOf<T extends BrokerMessage['type']> = Extract<BrokerMessage, { type: T }>

const utf8 = new TextEncoder()

export function bytesOf(text: string): Uint8Array {
  return utf8.encode(text)
}
export function bodiesOf(...texts: string[]): Bodies {
  return Bodies.ofTexts(texts)
}
export function textOf(bytes: Uint8Array | undefined): string {
  return new TextDecoder().decode(bytes)
}

interface Told {
  id: string
  by: 'id' | 'ref'
  status: string
  bytes: Uint8Array
  contentType?: string
}

/** A task id; different for different numbers. */
export function taskId(n: number): string {
  return `01890a5d-ac96-774b-bcce-${n.toString(16).padStart(12, '0')}`
}

export interface HostSetup {
  access?: AccessControl | undefined
  quotas?: Partial<QuotaConfig>
  journal?: Journal
  engine?: Partial<EngineConfig>
  config?: Partial<HostConfig>
}

/** A host under a clock that moves only when told, with turns that end only when told. */
export class World {
  nowMs = 1_800_000_000_000
  host!: Host
  api!: HostApi
  compaction!: Compaction
  failures: Error[] = []
  readonly logged: string[] = []
  #turns: (() => void)[] = []
  #timers = new Map<number, { atMs: number; fn: () => void }>()
  #timer = 0
  #secret = 0

  /** What the charts of the broker have done. */
  readonly told: Transition[] = []
  readonly platform: HostPlatform = {
    nowMs: () => this.nowMs,
    setTimer: (fn, ms) => {
      this.#timer += 1
      const id = this.#timer
      this.#timers.set(id, { atMs: this.nowMs + ms, fn })
      return () => this.#timers.delete(id)
    },
    afterTurn: (fn) => {
      this.#turns.push(fn)
    },
    random: () => 0.5,
    onTransition: (transition) => this.told.push(transition),
    secretId: () => {
      this.#secret += 1
      return `session-${this.#secret}`
    },
  }

  static async started(setup: HostSetup = {}): Promise<World> {
    const world = new World()
    await world.start(setup)
    return world
  }

  /** A new host; a second call is a restart, to which only the journal carries over. */
  async start({ journal = memoryJournal(), engine, config, access, quotas }: HostSetup = {}): Promise<void> {
    this.#turns = []
    this.#timers.clear()
    const log = (_: object, message: string): void => void this.logged.push(message)
    this.host = new Host({
      journal,
      platform: this.platform,
      engine: engineConfig(engine),
      config: { ...DEFAULT_HOST_CONFIG, ...config },
      log: { debug: log, info: log, warn: log, error: log },
      access,
      quotas: { ...DEFAULT_QUOTAS, ...quotas },
      onFailure: (error) => this.failures.push(error),
    })
    this.api = new HostApi(this.host, '1.2.3')
    this.compaction = new Compaction(this.host)
    await this.during(this.host.start())
  }

  /** Ends the turns that are due and those that they cause; what a journal keeps pending stays so. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 2; ) {
      const turns = this.#turns
      this.#turns = []
      quiet = turns.length === 0 ? quiet + 1 : 0
      for (const turn of turns) turn()
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  /** Lets turns end until `promise` is settled. */
  async during<T>(promise: Promise<T>): Promise<T> {
    let settled = false
    promise.then(
      () => (settled = true),
      () => (settled = true),
    )
    for (let i = 0; i < 1000 && !settled; i += 1) await this.settle()
    if (!settled) throw new Error('it is not settled after a thousand turns')
    return promise
  }

  /** Moves the clock on, stopping at every timer on the way. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.nowMs + ms
    await this.settle()
    for (;;) {
      const due = [...this.#timers].filter(([, { atMs }]) => atMs <= untilMs).sort(([, a], [, b]) => a.atMs - b.atMs)[0]
      if (!due) break
      const [id, { atMs, fn }] = due
      this.#timers.delete(id)
      this.nowMs = Math.max(this.nowMs, atMs)
      fn()
      await this.settle()
    }
    this.nowMs = untilMs
    await this.settle()
  }

  get timers(): number {
    return this.#timers.size
  }

  peer(kind: FrameKind = 'binary', address?: string): Peer {
    return new Peer(this, kind, address)
  }

  /** A connection that has said hello and was welcomed. */
  async member(hello: Partial<Hello> = {}, kind: FrameKind = 'binary'): Promise<Peer> {
    const peer = this.peer(kind)
    peer.hello(hello)
    await this.settle()
    expect(peer.of('welcome')).toHaveLength(1)
    return peer
  }

  async worker(credit: number, queues: string[], hello: Partial<Hello> = {}): Promise<Peer> {
    const peer = await this.member({ roles: ['worker'], ...hello })
    peer.say({ type: 'credit', credit, queues })
    await this.settle()
    return peer
  }
}

/** The other end of a connection: what it says is encoded and what it hears is decoded, as on a socket. */
export class Peer implements Transport {
  readonly heard: BrokerMessage[] = []
  readonly frames: (string | Uint8Array)[] = []
  closedWith: { code: number; reason: string } | undefined
  isTerminated = false
  isPaused = false
  bufferedBytes = 0
  /** Counts what is sent as unread until `read` is called. */
  isSlow = false
  readonly address?: string
  readonly connection: Connection | undefined
  readonly #world: World
  readonly #kind: FrameKind
  readonly #submitted = new Map<number, string[]>()

  constructor(world: World, kind: FrameKind, address?: string) {
    this.#world = world
    this.#kind = kind
    if (address !== undefined) this.address = address
    this.connection = world.host.connect(this)
  }

  send(frame: string | Uint8Array): void {
    if (this.closedWith) throw new Error('sent on a closed connection')
    this.frames.push(frame)
    if (this.isSlow) this.bufferedBytes += frame.length
    const decoded = decodeBrokerFrame(frame, this.#world.host.config.limits)
    if (!decoded.ok) throw new Error(`the broker sent a bad frame: ${decoded.error.message}`)
    this.heard.push(...decoded.messages)
  }
  close(code: number, reason: string): void {
    this.closedWith ??= { code, reason }
  }
  terminate(): void {
    this.isTerminated = true
  }
  pause(): void {
    this.isPaused = true
  }
  resume(): void {
    this.isPaused = false
  }

  say(...messages: ClientMessage[]): void {
    for (const message of messages) if (message.type === 'submit') this.#submitted.set(message.ref, message.ids)
    for (const frame of encodeFrames(messages, this.#kind, DEFAULT_LIMITS)) this.connection?.receive(frame)
  }
  hello(hello: Partial<Hello> = {}): void {
    this.say({ type: 'hello', versions: [1], roles: ['producer', 'worker'], ...hello })
  }
  submit(ref: number, ids: number[], body = 'null', options?: SubmitOptions, queue = 'photos', watch = true): void {
    const bodies = bodiesOf(...ids.map(() => body))
    this.say({ type: 'submit', ref, queue, watch, ids: ids.map(taskId), bodies, ...(options ? { options } : {}) })
  }
  complete(ref: number, lease: number, body = 'null', contentType?: string): void {
    const typed = contentType === undefined ? {} : { contentType }
    this.say({ type: 'complete', ref, leases: [lease], bodies: bodiesOf(body), ...typed })
  }

  /** Has read all it was sent. */
  read(): void {
    this.bufferedBytes = 0
    this.connection?.emptied()
  }
  /** Its connection is lost. */
  vanish(): void {
    this.closedWith ??= { code: 1006, reason: '' }
    this.connection?.closed()
  }

  get session(): string {
    return (this.of('welcome')[0] as MessageOf<'welcome'>).session
  }
  of<T extends BrokerMessage['type']>(type: T): MessageOf<T>[] {
    return this.heard.filter((message): message is MessageOf<T> => message.type === type)
  }
  get deliveries() {
    return this.of('deliver').flatMap(({ ids, leases, attempts, bodies, contentType }) =>
      ids.map((id, i) => ({
        id,
        lease: leases[i] as number,
        attempt: attempts?.[i] ?? 1,
        bytes: bodies.at(i),
        ...(contentType === undefined ? {} : { contentType }),
      })),
    )
  }
  /** What it heard of ended tasks; `by` is the name that was used. */
  get outcomes() {
    return this.heard.flatMap((message): Told[] => {
      if (message.type === 'ended') {
        return message.tasks.map((task) => ({ ...task, ...this.#resolved(task), bytes: new Uint8Array() }))
      }
      if (message.type !== 'succeeded') return []
      const { bodies, contentType } = message
      const typed = contentType === undefined ? {} : { contentType }
      const names: TaskName[] =
        'ids' in message
          ? message.ids.map((id) => ({ id }))
          : message.indexes.map((index) => ({ ref: message.ref, index }))
      return names.map((name, i) => ({
        ...this.#resolved(name),
        status: 'succeeded' as const,
        bytes: bodies.at(i),
        ...typed,
      }))
    })
  }
  #resolved(name: TaskName): { id: string; by: 'id' | 'ref' } {
    if ('id' in name) return { id: name.id, by: 'id' }
    const id = this.#submitted.get(name.ref)?.[name.index]
    if (id === undefined) throw new Error(`submission ${name.ref} has no task ${name.index}`)
    return { id, by: 'ref' }
  }
  get lastLease(): number {
    const lease = this.deliveries.at(-1)?.lease
    if (lease === undefined) throw new Error('nothing was delivered')
    return lease
  }
}

/** A journal whose appends wait to be let through or failed, and whose reads may take time. */
export class HeldJournal implements Journal {
  durability: Durability = 'memory'
  readonly batchBytesMax = BATCH_BODY_BYTES_MAX
  readonly inner = memoryJournal()
  readonly batches: Batch[] = []
  readonly reads: number[] = []
  isHolding = false
  readsTakeTime = false
  failWith: Error | undefined
  #held: { store: () => void; reject: (error: Error) => void }[] = []

  get held(): number {
    return this.#held.length
  }
  load: Journal['load'] = (each) => this.inner.load(each)
  append(batch: Batch): void | Promise<void> {
    this.batches.push(batch)
    if (this.failWith) throw this.failWith
    if (!this.isHolding) return this.inner.append(batch)
    return new Promise((resolve, reject) => {
      const store = (): void => {
        this.inner.append(batch)
        resolve()
      }
      this.#held.push({ store, reject })
    })
  }
  /** The oldest pending append becomes durable. */
  release(): void {
    const held = this.#held.shift()
    if (!held) throw new Error('no append is pending')
    held.store()
  }
  fail(error: Error): void {
    for (const { reject } of this.#held.splice(0)) reject(error)
  }
  read(batch: number): Uint8Array | Promise<Uint8Array> {
    this.reads.push(batch)
    const bodies = this.inner.read(batch)
    return this.readsTakeTime ? Promise.resolve(bodies) : bodies
  }
  discardBefore: Journal['discardBefore'] = (batch) => this.inner.discardBefore(batch)
  stats: Journal['stats'] = () => this.inner.stats()
  close: Journal['close'] = () => this.inner.close()
}
