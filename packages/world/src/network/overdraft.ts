import { decodeBrokerFrame, encodeFrames, type Limits } from '@sluice/protocol'
import type { Tampering } from './network.ts'

/** The submit credit that the program believes in. */
const CREDIT = 100_000

/** Makes a producer's program believe in more submit credit than the broker gives. The program does not know. */
export class Overdraft implements Tampering {
  readonly #limits: Limits

  constructor(limits: Limits) {
    this.#limits = limits
  }

  outgoing(frame: string | Uint8Array): (string | Uint8Array)[] {
    return [frame]
  }

  incoming(frame: string | Uint8Array): (string | Uint8Array)[] {
    const decoded = decodeBrokerFrame(frame, this.#limits)
    if (!decoded.ok || decoded.messages.every(({ type }) => type !== 'welcome')) return [frame]
    const messages = decoded.messages.map((message) =>
      message.type === 'welcome' ? { ...message, submitCredit: CREDIT } : message,
    )
    return encodeFrames(messages, 'binary', this.#limits)
  }

  opened(): void {}
}
