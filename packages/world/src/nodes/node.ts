import type { Context } from '../context.ts'
import type { Network } from '../network/network.ts'
import { Process } from './process.ts'

/** From the failure of a process to the start of the next one, as supervisors wait. */
const SUPERVISOR_MS = 1000

/** A machine with a name and a wall clock, on which one program runs, one life after another. */
export abstract class Node {
  readonly name: string
  protected readonly context: Context
  protected readonly network: Network
  clockOffsetMs = 0
  resumesAtMs = 0
  #lateMs = 0
  #incarnation = 0
  #timersLeft = 0
  #process: Process | undefined
  #cancelStart: (() => void) | undefined
  #isLeaving = false
  #onceUp: (() => void)[] = []
  #onceDown: (() => void)[] = []

  constructor(context: Context, network: Network, name: string) {
    this.name = name
    this.context = context
    this.network = network
  }

  /** The program's life; what it starts must end with it. */
  protected abstract run(process: Process): void
  /** The program leaves in good order; resolves when it has. */
  protected abstract leave(process: Process): Promise<void>
  /** Its process is gone. */
  protected ended(): void {}

  get lateMs(): number {
    return this.#lateMs
  }

  /** The process that runs, if one does. */
  get process(): Process | undefined {
    return this.#process
  }

  get isUp(): boolean {
    return this.#process !== undefined
  }

  get isLeaving(): boolean {
    return this.#isLeaving
  }

  /** Timers of programs that had left in good order, all of them together. */
  get timersLeft(): number {
    return this.#timersLeft
  }

  /** Whether a start lies ahead. */
  get isReturning(): boolean {
    return this.#cancelStart !== undefined
  }

  start(): void {
    this.cancelStart()
    if (this.#process) return
    this.#incarnation += 1
    const process = new Process(this.context, this.name, this.#incarnation, this)
    this.#process = process
    process.onUncaught = (error) => this.fail(process, String(error))
    this.context.observe({ type: 'nodeStarted', node: this.name, incarnation: this.#incarnation })
    process.enter(() => this.run(process))
    const waiting = this.#onceUp
    this.#onceUp = []
    for (const fn of waiting) fn()
  }

  /** Gone at once. It comes back after `restartAfterMs`, or never. Returns whether there was anything to kill. */
  crash(restartAfterMs: number | undefined, options: { isSilent: boolean } = { isSilent: false }): boolean {
    if (!this.#process) return false
    this.#end('crashed', undefined, options.isSilent)
    if (restartAfterMs !== undefined) this.startAfter(restartAfterMs)
    return true
  }

  /** Leaves in good order, however long that takes, and comes back `restartAfterMs` later, or never. */
  restart(restartAfterMs: number | undefined): boolean {
    const process = this.#process
    if (!process || this.#isLeaving) return false
    this.#isLeaving = true
    process.enter(() => {
      this.leave(process).then(
        () => {
          if (!process.isAlive) return
          this.#end('left', undefined, false)
          if (restartAfterMs !== undefined) this.startAfter(restartAfterMs)
        },
        (error) => {
          this.context.escaped(this.name, error)
          this.fail(process, String(error))
        },
      )
    })
    return true
  }

  /** The process gives up by itself, and is started anew. */
  fail(process: Process, reason: string): void {
    if (!process.isAlive) return
    this.#end('failed', reason, false)
    this.startAfter(SUPERVISOR_MS)
  }

  startAfter(ms: number): void {
    this.#cancelStart?.()
    this.#cancelStart = this.context.clock.setTimer(() => this.start(), ms)
  }

  cancelStart(): void {
    this.#cancelStart?.()
    this.#cancelStart = undefined
  }

  /** Calls back when a process runs; at once when one does. */
  onceUp(fn: () => void): void {
    if (this.#process) fn()
    else this.#onceUp.push(fn)
  }

  /** Calls back when the process that runs has ended. */
  onceDown(fn: () => void): void {
    this.#onceDown.push(fn)
  }

  pause(forMs: number): void {
    this.resumesAtMs = Math.max(this.resumesAtMs, this.context.clock.nowMs + forMs)
    this.#process?.reschedule()
  }

  resume(): void {
    this.resumesAtMs = this.context.clock.nowMs
    this.#process?.reschedule()
  }

  slowDown(byMs: number): void {
    this.#lateMs += byMs
    this.#process?.reschedule()
  }

  #end(how: 'left' | 'crashed' | 'failed', reason: string | undefined, isSilent: boolean): void {
    const process = this.#process as Process
    this.#process = undefined
    this.#isLeaving = false
    // A new process of the same machine is not stopped by what stopped the old one.
    this.resumesAtMs = this.context.clock.nowMs
    if (how === 'left') this.#timersLeft += process.timersLeft
    process.kill()
    this.context.observe({
      type: 'nodeStopped',
      node: this.name,
      how,
      ...(reason === undefined ? {} : { reason }),
    })
    this.network.processEnded(process, isSilent)
    this.ended()
    const waiting = this.#onceDown
    this.#onceDown = []
    for (const fn of waiting) fn()
  }
}
