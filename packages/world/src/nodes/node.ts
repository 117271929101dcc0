import type { Context } from '../context.ts'
import type { Network } from '../network/network.ts'
import { Process } from './process.ts'

/** The time from the failure of a process to the start of the next one, as supervisors wait. */
const SUPERVISOR_MS = 1000

/** A machine with a name and a wall clock. One program runs on it, one life after another. */
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
  /** How long it stays away once it has left. */
  #absenceMs = 0
  #isRetired = false
  #onceUp: (() => void)[] = []
  #onceDown: (() => void)[] = []

  constructor(context: Context, network: Network, name: string) {
    this.name = name
    this.context = context
    this.network = network
  }

  /** One life of the program. What it starts must end with it. */
  protected abstract run(process: Process): void
  /** The program leaves in good order. Resolves when it has. */
  protected abstract leave(process: Process): Promise<void>
  /** Its process has ended. */
  protected ended(): void {}

  get lateMs(): number {
    return this.#lateMs
  }

  /** The running process, if there is one. */
  get process(): Process | undefined {
    return this.#process
  }

  get isUp(): boolean {
    return this.#process !== undefined
  }

  get isLeaving(): boolean {
    return this.#isLeaving
  }

  /** Whether it has left for good, or is about to. */
  get isRetired(): boolean {
    return this.#isRetired
  }

  /** How many timers were left by programs that had left in good order, all together. */
  get timersLeft(): number {
    return this.#timersLeft
  }

  /** Whether a start is still to come. */
  get isReturning(): boolean {
    return this.#cancelStart !== undefined
  }

  start(): void {
    this.#cancelStart?.()
    this.#cancelStart = undefined
    if (this.#process || this.#isRetired) return
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

  /** Ends at once. It comes back after `restartAfterMs`. */
  crash(restartAfterMs: number, options: { isSilent: boolean } = { isSilent: false }): void {
    if (!this.#process) return
    this.#end('crashed', undefined, options.isSilent)
    this.#startAfter(restartAfterMs)
  }

  /** Ends at once and for good. */
  vanish(): void {
    this.#retire()
    if (this.#process) this.#end('crashed', undefined, false)
  }

  /** Leaves in good order, however long that takes, and for good. */
  leaveForGood(): void {
    this.#retire()
    this.restart(0)
  }

  /** Starts again at once or, if it is about to leave, as soon as it has. */
  comeBack(): void {
    if (this.#isLeaving) this.#absenceMs = 0
    else this.start()
  }

  /** Leaves in good order, however long that takes, and comes back `restartAfterMs` later. */
  restart(restartAfterMs: number): void {
    const process = this.#process
    if (!process || this.#isLeaving) return
    this.#isLeaving = true
    this.#absenceMs = restartAfterMs
    process.enter(() => {
      this.leave(process).then(
        () => {
          if (!process.isAlive) return
          this.#end('left', undefined, false)
          this.#startAfter(this.#absenceMs)
        },
        (error) => {
          this.context.escaped(this.name, error)
          this.fail(process, String(error))
        },
      )
    })
  }

  /** The process gives up by itself and is started again. */
  fail(process: Process, reason: string): void {
    if (!process.isAlive) return
    this.#end('failed', reason, false)
    this.#startAfter(SUPERVISOR_MS)
  }

  #retire(): void {
    this.#isRetired = true
    this.#cancelStart?.()
    this.#cancelStart = undefined
  }

  #startAfter(ms: number): void {
    this.#cancelStart?.()
    this.#cancelStart = this.context.clock.setTimer(() => this.start(), ms)
  }

  /** Calls back when a process runs: at once if one does. */
  onceUp(fn: () => void): void {
    if (this.#process) fn()
    else this.#onceUp.push(fn)
  }

  /** Calls back when the running process has ended. */
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
    // A pause of the old process does not pause a new process of the same machine.
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
