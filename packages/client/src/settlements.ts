import { Bodies, type Body, type ClientMessage, type Limits } from '@sluice/protocol'
import type { Answer } from './answer.ts'
import type { Platform } from './platform.ts'
import type { Slot } from './slot.ts'

const MESSAGE_ITEMS_MAX = 500

/** A message that is being built. */
interface Group {
  slots: Slot[]
  bytes: number
}

/**
 * The unconfirmed answers. Each stays with its slot until the broker has confirmed it or the lease is known to be lost,
 * and is sent again after a reconnect.
 */
export class Settlements {
  readonly #platform: Platform
  readonly #requestFlush: () => void
  #unsent: Slot[] = []
  readonly #sent = new Map<number, Slot[]>()
  /** Answers that the broker wants later, by the function that ends their wait. */
  readonly #later = new Map<() => void, readonly Slot[]>()

  constructor(platform: Platform, requestFlush: () => void) {
    this.#platform = platform
    this.#requestFlush = requestFlush
  }

  /** The number of answers that wait to be sent. */
  get waiting(): number {
    return this.#unsent.length
  }

  add(slot: Slot): void {
    this.#unsent.push(slot)
    this.#requestFlush()
  }

  /** The broker may accept these answers after `delayMs`. */
  addLater(slots: readonly Slot[], delayMs: number): void {
    const cancel = this.#platform.setTimer(() => {
      this.#later.delete(cancel)
      for (const slot of slots) this.add(slot)
    }, delayMs)
    this.#later.set(cancel, slots)
  }

  /** Slots whose answer must be sent again later, because the broker could not accept it. */
  putOff(): Set<Slot> {
    return new Set([...this.#later.values()].flat())
  }

  /** Those of `slots` whose answer was not sent over this connection. `settled` tells about the others. */
  notUnderWay(slots: readonly Slot[]): Slot[] {
    if (slots.length === 0) return []
    const underWay = new Set([...this.#sent.values()].flat())
    return slots.filter((slot) => !underWay.has(slot))
  }

  /** Cancels all delayed answers. */
  stop(): void {
    for (const cancel of this.#later.keys()) cancel()
    this.#later.clear()
  }

  /** After a reconnect: sends the answers of held leases again. */
  resend(held: Iterable<Slot>): void {
    this.stop()
    this.#sent.clear()
    this.#unsent = [...held].filter((slot) => slot.answer !== undefined)
  }

  collect(out: ClientMessage[], limits: Limits, nextRef: () => number): void {
    const itemsMax = Math.min(MESSAGE_ITEMS_MAX, limits.batchItemsMax)
    const bytesMax = limits.frameBytesMax >> 1
    const open = new Map<string, Group>()
    const close = (slots: Slot[]): void => {
      const ref = nextRef()
      this.#sent.set(ref, slots)
      out.push(settlementMessage(ref, slots))
    }
    for (const slot of this.#unsent) {
      const { answer } = slot
      // The lease was lost: nobody waits for its answer.
      if (answer === undefined) continue
      const kind = groupOf(answer)
      const bytes = sizeOf(answer)
      let group = open.get(kind)
      if (group !== undefined && (group.slots.length === itemsMax || group.bytes + bytes > bytesMax)) {
        close(group.slots)
        group = undefined
      }
      if (group === undefined) {
        group = { slots: [], bytes: 0 }
        open.set(kind, group)
      }
      group.slots.push(slot)
      group.bytes += bytes
    }
    this.#unsent = []
    for (const { slots } of open.values()) close(slots)
  }

  /**
   * Handles the broker's answer.
   * @returns the slots of the message; undefined if the ref is not one of these
   */
  answered(ref: number): Slot[] | undefined {
    const slots = this.#sent.get(ref)
    this.#sent.delete(ref)
    return slots
  }
}

/** Equal for answers that may share a message. */
function groupOf(answer: Answer): string {
  if (answer.kind !== 'complete') return answer.kind
  // Texts and bytes are different kinds of bodies even if both are JSON.
  return typeof answer.output === 'string' ? 'text' : (answer.output.contentType ?? 'bytes')
}

function settlementMessage(ref: number, slots: Slot[]): ClientMessage {
  const answer = slots[0]!.answer!
  const leases = slots.map((slot) => slot.lease)
  switch (answer.kind) {
    case 'complete': {
      const outputs = slots.map((slot) => (slot.answer as Answer & { kind: 'complete' }).output)
      if (typeof answer.output === 'string') {
        return { type: 'complete', ref, leases, bodies: Bodies.ofTexts(outputs as string[]) }
      }
      const pieces = (outputs as Body[]).map((output) => output.bytes)
      const lengths = pieces.map((bytes) => bytes.length)
      const { contentType } = answer.output
      const bodies = Bodies.ofPieces(pieces, lengths)
      return { type: 'complete', ref, leases, ...(contentType === undefined ? {} : { contentType }), bodies }
    }
    case 'fail':
      return {
        type: 'fail',
        ref,
        failures: slots.map((slot) => (slot.answer as Answer & { kind: 'fail' }).failure),
      }
    case 'release':
      return { type: 'release', ref, leases }
  }
}

/** A generous bound on the bytes in a frame: three per UTF-16 unit, doubled for JSON escapes. */
function sizeOf(answer: Answer): number {
  switch (answer.kind) {
    case 'complete':
      return (typeof answer.output === 'string' ? answer.output.length * 3 : answer.output.bytes.length) + 32
    case 'fail': {
      const { message, name = '', code = '', stack = '' } = answer.failure.error
      return (message.length + name.length + code.length + stack.length) * 6 + 128
    }
    case 'release':
      return 24
  }
}
