import { decodeClientFrame, encodeFrames, type Limits } from '@sluice/protocol'
import type { Tampering } from './network.ts'

/** Makes a program send text frames, as people and other languages do. The broker answers in text frames too. */
export class TextSpeaker implements Tampering {
  readonly #limits: Limits

  constructor(limits: Limits) {
    this.#limits = limits
  }

  outgoing(frame: string | Uint8Array): (string | Uint8Array)[] {
    const decoded = decodeClientFrame(frame, this.#limits)
    return decoded.ok ? encodeFrames(decoded.messages, 'text', this.#limits) : [frame]
  }

  incoming(frame: string | Uint8Array): (string | Uint8Array)[] {
    return [frame]
  }

  opened(): void {}
}
