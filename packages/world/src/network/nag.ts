import { type ClientMessage, decodeClientFrame, encodeFrames, type Limits } from '@sluice/protocol'
import type { Process } from '../nodes/process.ts'
import type { Tampering } from './network.ts'

/** Refs of messages that the program itself never sent. It ignores their answers. */
const OWN_REFS_FROM = 1_000_000_000
/** How many of the last submissions are asked for. */
const ASKED_MAX = 30

export interface NagOptions {
  limits: Limits
  process: Process
  everyMs: number
  isOver: () => boolean
}

/**
 * Asks again and again for the state of what a producer's program has submitted, answered or not. The answers grow
 * without bound if nobody reads them. The program does not know.
 */
export class Nag implements Tampering {
  readonly #options: NagOptions
  readonly #ids: string[] = []
  #send: (frame: string | Uint8Array) => void = () => {}
  #ref = OWN_REFS_FROM

  constructor(options: NagOptions) {
    this.#options = options
    this.#later()
  }

  opened(send: (frame: string | Uint8Array) => void): void {
    this.#send = send
  }

  outgoing(frame: string | Uint8Array): (string | Uint8Array)[] {
    const decoded = decodeClientFrame(frame, this.#options.limits)
    const messages: readonly ClientMessage[] = decoded.ok ? decoded.messages : []
    for (const message of messages) if (message.type === 'submit') this.#ids.push(...message.ids)
    this.#ids.splice(0, this.#ids.length - ASKED_MAX)
    return [frame]
  }

  incoming(frame: string | Uint8Array): (string | Uint8Array)[] {
    return [frame]
  }

  #later(): void {
    const { process, everyMs, isOver } = this.#options
    process.setTimer(() => {
      if (isOver()) return
      this.#ask()
      this.#later()
    }, everyMs)
  }

  #ask(): void {
    const { limits } = this.#options
    if (this.#ids.length === 0) return
    this.#ref += 1
    const ids = this.#ids.slice(-limits.batchItemsMax)
    for (const frame of encodeFrames([{ type: 'query', ref: this.#ref, ids }], 'binary', limits)) this.#send(frame)
  }
}
