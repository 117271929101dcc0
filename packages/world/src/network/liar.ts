import {
  Bodies,
  type BrokerMessage,
  type ClientMessage,
  decodeBrokerFrame,
  decodeClientFrame,
  encodeFrames,
  type FrameKind,
  type Limits,
} from '@sluice/protocol'
import type { Process } from '../nodes/process.ts'
import type { RandomStream } from '../random.ts'
import type { Falsehood } from '../scenario.ts'
import type { Tampering } from './network.ts'

/** Refs of messages that the program itself never sent. It ignores their answers. */
const OWN_REFS_FROM = 1_000_000_000
/** How often a frame is followed by a lie. */
const LIE_SHARE = 0.3
/** How often a frame is cut off, which ends the connection. */
const BABBLE_SHARE = 0.02
/** How many settled and lost leases are remembered. */
const MEMORY_MAX = 100
const LATE_MS_MAX = 20_000
const SECOND_MS = 1000

type Settlement = Extract<ClientMessage, { type: 'complete' | 'fail' | 'release' }>

/** A worker's program whose messages are falsified on their way out. The program does not know. */
export class Liar implements Tampering {
  readonly #falsehoods: ReadonlySet<Falsehood>
  readonly #random: RandomStream
  readonly #process: Process
  readonly #limits: Limits
  readonly #kind: FrameKind
  #send: (frame: string | Uint8Array) => void = () => {}
  #ref = OWN_REFS_FROM
  /** Leases that the program may settle. */
  readonly #held = new Set<number>()
  /** Leases that it may no longer settle. */
  #past: number[] = []
  /** Settled and not confirmed, by ref. */
  readonly #settling = new Map<number, readonly number[]>()
  /** Settlements that name each lease twice, by ref: how many they had. */
  readonly #doubledRefs = new Map<number, number>()
  /** Named in the last hello although they are unknown. */
  #claimed: readonly number[] = []

  constructor(
    falsehoods: readonly Falsehood[],
    random: RandomStream,
    process: Process,
    { limits, kind }: { limits: Limits; kind: FrameKind },
  ) {
    this.#falsehoods = new Set(falsehoods)
    this.#random = random
    this.#process = process
    this.#limits = limits
    this.#kind = kind
  }

  opened(send: (frame: string | Uint8Array) => void): void {
    this.#send = send
  }

  incoming(frame: string | Uint8Array): (string | Uint8Array)[] {
    const decoded = decodeBrokerFrame(frame, this.#limits)
    if (!decoded.ok) return [frame]
    const heard = decoded.messages.map((message) => this.#withoutSeconds(message))
    for (const message of heard) this.#hear(message)
    const isChanged = heard.some((message, at) => message !== decoded.messages[at])
    return isChanged ? encodeFrames(heard, typeof frame === 'string' ? 'text' : 'binary', this.#limits) : [frame]
  }

  outgoing(frame: string | Uint8Array): (string | Uint8Array)[] {
    const decoded = decodeClientFrame(frame, this.#limits)
    if (!decoded.ok) return [frame]
    const said: ClientMessage[] = []
    for (const message of decoded.messages) said.push(...this.#falsified(message))
    if (this.#falsehoods.has('babbles') && this.#random.chance(BABBLE_SHARE)) {
      return this.#encode(said).map((whole) => whole.slice(0, this.#random.integer(0, whole.length - 1)))
    }
    const isOpen = decoded.messages.every(({ type }) => type !== 'hello' && type !== 'bye')
    if (isOpen && this.#falsehoods.has('inventsLeases') && this.#random.chance(LIE_SHARE))
      said.unshift(this.#invented())
    return this.#encode(said)
  }

  /**
   * Names the same lease twice in one message if there is room. The program never hears the verdict on the second
   * one.
   */
  #doubled(message: Settlement): Settlement {
    const { length } = leasesOf(message)
    const bytes = message.type === 'complete' ? message.bodies.lengths.reduce((sum, one) => sum + one, 0) : 0
    if (2 * length > this.#limits.batchItemsMax || 4 * bytes > this.#limits.frameBytesMax) return message
    this.#doubledRefs.set(message.ref, length)
    switch (message.type) {
      case 'fail':
        return { ...message, failures: [...message.failures, ...message.failures] }
      case 'release':
        return { ...message, leases: [...message.leases, ...message.leases] }
      case 'complete': {
        const pieces = message.leases.map((_, index) => message.bodies.at(index))
        const twice = [...pieces, ...pieces]
        const bodies = Bodies.ofPieces(
          twice,
          twice.map(({ length: one }) => one),
        )
        return { ...message, leases: [...message.leases, ...message.leases], bodies }
      }
    }
  }

  #withoutSeconds(message: BrokerMessage): BrokerMessage {
    const length = message.type === 'settled' ? this.#doubledRefs.get(message.ref) : undefined
    if (message.type !== 'settled' || length === undefined) return message
    this.#doubledRefs.delete(message.ref)
    return { ...message, refused: message.refused.filter(({ index }) => index < length) }
  }

  #hear(message: BrokerMessage): void {
    if (message.type === 'deliver') for (const lease of message.leases) this.#held.add(lease)
    else if (message.type === 'revoke') for (const lease of message.leases) this.#lose(lease)
    else if (message.type === 'renewed') for (const lease of message.lost) this.#lose(lease)
    else if (message.type === 'settled') this.#confirm(message.ref, message.refused)
    else if (message.type === 'welcome') {
      this.#settling.clear()
      this.#doubledRefs.clear()
      if (message.resumed) for (const lease of this.#claimed) this.#held.add(lease)
      else for (const lease of this.#held) this.#lose(lease)
      for (const lease of message.lostLeases) this.#lose(lease)
      this.#claimed = []
    }
  }

  #confirm(ref: number, refused: readonly { index: number; error: { code: string } }[]): void {
    const leases = this.#settling.get(ref)
    if (leases === undefined) return
    this.#settling.delete(ref)
    const kept = new Set(refused.filter(({ error }) => error.code !== 'lease_lost').map(({ index }) => index))
    for (const [index, lease] of leases.entries()) if (!kept.has(index)) this.#lose(lease)
  }

  #lose(lease: number): void {
    this.#held.delete(lease)
    this.#past.push(lease)
    if (this.#past.length > MEMORY_MAX) this.#past.shift()
    if (!this.#falsehoods.has('settlesLate') || !this.#random.chance(LIE_SHARE)) return
    this.#process.setTimer(() => {
      for (const frame of this.#encode([this.#settlement(lease)])) this.#send(frame)
    }, SECOND_MS + this.#random.integer(0, LATE_MS_MAX))
  }

  #falsified(message: ClientMessage): ClientMessage[] {
    switch (message.type) {
      case 'complete':
      case 'fail':
      case 'release':
        this.#settling.set(message.ref, leasesOf(message))
        if (this.#falsehoods.has('repeatsItems') && this.#random.chance(LIE_SHARE)) return [this.#doubled(message)]
        return this.#falsehoods.has('repeats') ? [message, message] : [message]
      case 'heartbeat':
        return this.#falsehoods.has('neverBeats') ? [{ type: 'ping', ref: message.ref }] : [message]
      case 'hello':
        if (this.#falsehoods.has('withholdsHello') && this.#random.chance(LIE_SHARE)) return []
        if (!message.resume || !this.#falsehoods.has('resumesStrangers')) return [message]
        this.#claimed = this.#strangers().filter((lease) => !message.resume?.leases.includes(lease))
        return [{ ...message, resume: { ...message.resume, leases: [...message.resume.leases, ...this.#claimed] } }]
      default:
        return [message]
    }
  }

  #invented(): ClientMessage {
    return this.#settlement(this.#random.pick(this.#strangers()))
  }

  #settlement(lease: number): Settlement {
    this.#ref += 1
    const ref = this.#ref
    switch (this.#random.integer(0, 2)) {
      case 0:
        return { type: 'release', ref, leases: [lease] }
      case 1:
        return { type: 'fail', ref, failures: [{ lease, error: { message: 'a lie' }, retryable: false }] }
      default:
        return { type: 'complete', ref, leases: [lease], bodies: Bodies.ofTexts(['"a lie"']) }
    }
  }

  /**
   * Leases that the program does not hold. A broker grants in ascending order, so an unknown lease below the highest
   * that the program has heard of cannot be its own.
   */
  #strangers(): number[] {
    const highest = Math.max(1, ...this.#held, ...this.#past)
    const below = highest - this.#random.integer(1, 5)
    const isFree = below >= 1 && !this.#held.has(below)
    return [isFree ? below : highest + 1_000_000_000, ...(this.#past.length > 0 ? [this.#random.pick(this.#past)] : [])]
  }

  #encode(messages: readonly ClientMessage[]): (string | Uint8Array)[] {
    return encodeFrames(messages, this.#kind, this.#limits)
  }
}

function leasesOf(message: Settlement): readonly number[] {
  return message.type === 'fail' ? message.failures.map(({ lease }) => lease) : message.leases
}
