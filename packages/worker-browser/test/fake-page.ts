import type { WorkerStats } from '@sluice/client'
import type { ConnectionMessage, ConnectionStatus, PageMessage } from '../src/connection-messages.ts'
import type { Device, PageLife, PressureState } from '../src/device.ts'
import { createTabWorker, type TabWorker, type TabWorkerOptions } from '../src/index.ts'
import { ManualTimers } from './manual-timers.ts'

const STATS: WorkerStats = { running: 0, queued: 0, settling: 0, succeeded: 0, failed: 0, released: 0, lost: 0 }

/** A Worker that does nothing by itself. */
export class FakeWorker {
  readonly heard: PageMessage[] = []
  isTerminated = false
  onmessage: (event: { data: ConnectionMessage }) => void = () => {}
  onerror: (event: { message?: string }) => void = () => {}

  postMessage(message: PageMessage): void {
    this.heard.push(message)
  }

  addEventListener(): void {}

  removeEventListener(): void {}

  terminate(): void {
    this.isTerminated = true
  }

  say(data: ConnectionMessage): void {
    if (!this.isTerminated) this.onmessage({ data })
  }

  status(over: Partial<ConnectionStatus> = {}): void {
    const status = { connection: 'ready', trouble: undefined, stats: STATS, ready: 1, resting: 0, ...over } as const
    this.say({ type: 'status', status })
  }

  get last(): PageMessage | undefined {
    return this.heard.at(-1)
  }
}

/** A page whose browser does only what the test says. */
export class FakePage {
  readonly timers = new ManualTimers()
  readonly stored = new Map<string, string>()
  readonly connections: FakeWorker[] = []
  /** The watches that have not ended. */
  watches = 0
  life: PageLife | undefined
  battery: (isCharging: boolean) => void = () => {}
  pressure: (state: PressureState) => void = () => {}
  store: (value: string | null) => void = () => {}
  time = new Date(2026, 0, 1, 12)
  readonly device: Device

  constructor() {
    const watched = (): (() => void) => {
      this.watches += 1
      let isOver = false
      return () => {
        if (!isOver) this.watches -= 1
        isOver = true
      }
    }
    this.device = {
      cores: 4,
      // Each look takes a little.
      now: () => (this.timers.nowMs += 10),
      setTimer: (fn, ms) => this.timers.set(fn, ms),
      time: () => this.time,
      uniqueName: () => 'unique',
      watchLife: (life) => {
        this.life = life
        return watched()
      },
      watchBattery: (onChange) => {
        this.battery = onChange
        return watched()
      },
      watchPressure: (onChange) => {
        this.pressure = onChange
        return watched()
      },
      keepAwake: watched,
      read: (key) => this.stored.get(key) ?? null,
      write: (key, value) => void (value === null ? this.stored.delete(key) : this.stored.set(key, value)),
      watchStore: (_, onChange) => {
        this.store = onChange
        return watched()
      },
      warn: () => {},
    }
  }

  tab(options: Partial<TabWorkerOptions> = {}): TabWorker {
    return createTabWorker({
      url: 'ws://broker',
      queues: ['q'],
      consent: 'given',
      worker: () => new FakeWorker() as unknown as Worker,
      connection: () => {
        const connection = new FakeWorker()
        this.connections.push(connection)
        return connection as unknown as Worker
      },
      device: this.device,
      ...options,
    })
  }

  get connection(): FakeWorker {
    const connection = this.connections.at(-1)
    if (connection === undefined) throw new Error('no connection Worker was made')
    return connection
  }

  /** The connection Workers that have not ended. */
  get living(): FakeWorker[] {
    return this.connections.filter(({ isTerminated }) => !isTerminated)
  }
}
