import { isFinished, type State, type Submission, type Task } from '@sluice/engine'
import { type DeliveryEvent, nextDeliveryState } from '@sluice/machines'
import type { DeliveryState } from '@sluice/machines/states'
import { type BrokerMessage, encodeFrames, type FrameKind } from '@sluice/protocol'
import type { BodyRun, BodyStore } from './body-store.ts'
import type { HostConfig } from './host-config.ts'
import { Lane } from './lane.ts'
import type { Outgoing } from './outgoing.ts'
import type { HostLog, HostPlatform, Transport } from './platform.ts'
import { tellRegion } from './session-steps.ts'

/** The approximate memory of an outcome or a progress value that is told later. */
const WITHHELD_BYTES = 192
/** If a delivery is sent later after its grant than this share of its lease, the lease is renewed. */
const LATE_SHARE = 0.01

const NOTHING: readonly Outgoing[] = []

/** What the sending half of a connection needs from its broker. */
export interface OutboundHost {
  readonly platform: HostPlatform
  readonly config: HostConfig
  readonly state: State
  readonly bodies: BodyStore
  readonly log: HostLog
  readonly nowMs: number
  /** The gate of everything decided so far. */
  readonly gate: number
  /** The gate of every delivery. */
  readonly deliveryGate: number
  /** The newest durable batch. */
  readonly durableBatch: number
  fail(error: Error): void
}

/** The callbacks of the sending half. */
export interface OutboundOwner {
  readonly name: string
  /** Undefined before the connection has one, and after its end. */
  readonly session: string | undefined
  /** There is something to send at the end of the turn. */
  onNews(): void
  /** The connection starts or stops taking deliveries. */
  onDeliveryChange(): void
  /** The answers to this many submitted tasks have been sent. */
  onAnswersLeft(count: number): void
  /** The deliveries of these leases were sent so late that their leases count from now. */
  onLateDelivery(leases: readonly number[]): void
  /** The peer does not read. */
  onSlowReader(): void
  /** This many bytes are unsent. Returns how many may be, if that is fewer than each connection may have. */
  unreadMax(bytes: number): number
  /** A message for the peer fits no frame. */
  onUnsendable(): void
}

/**
 * The sending half of a connection. It has three lanes: immediate messages (`signals`), deliveries and their
 * revocations (`work`), and messages that wait for the disk (`answers`). Each keeps its order. The lane that is ready
 * first is sent first.
 */
export class Outbound {
  readonly #host: OutboundHost
  readonly #owner: OutboundOwner
  readonly #transport: Transport
  #kind: FrameKind = 'text'
  #signals: BrokerMessage[] = []
  readonly #work = new Lane()
  readonly #answers = new Lane()
  #delivery: DeliveryState = 'flowing'
  /** While the bodies of the next messages are read, only signals overtake them. */
  #reading: Promise<void> | undefined
  /** What is sent once its bodies have been read. */
  #beingRead: readonly Outgoing[] = NOTHING
  /** The deliveries and revocations among it. */
  #workBeingRead: readonly Outgoing[] = NOTHING
  #isOver = false
  /** Submitted tasks whose answers are sent and whose credit has not been given back. */
  #answeredUnread = 0
  /** Submitted tasks whose credit was given back while the peer did not read. */
  #givenUnread = 0
  /** The numbers of finished tasks whose outcome is told when there is room, by submission or by id. */
  readonly #outcomesLater = new Map<number, { id: string; names: Set<Submission | undefined> }>()
  /** The numbers of tasks whose progress is told when there is room, in the same way. */
  readonly #progressLater = new Map<number, Set<Submission | undefined>>()

  constructor(host: OutboundHost, owner: OutboundOwner, transport: Transport) {
    this.#host = host
    this.#owner = owner
    this.#transport = transport
  }

  get delivery(): DeliveryState {
    return this.#delivery
  }

  /** Whether the peer has more to read than it may have when it asks for more. */
  get isBehind(): boolean {
    const { bufferedBytes } = this.#transport
    return bufferedBytes > this.#high(bufferedBytes)
  }

  /** The unsent bytes past which nothing is sent that was not asked for. */
  #high(unsent: number): number {
    return Math.min(this.#host.config.sendBufferBytesHigh, this.#owner.unreadMax(unsent))
  }

  /** Settles when the bodies that are being read have arrived and their messages are sent. */
  get reading(): Promise<void> | undefined {
    return this.#reading
  }

  /** Whether something waits for the disk. */
  get isWaiting(): boolean {
    return !this.#work.isEmpty || !this.#answers.isEmpty
  }

  /** The bodies of unsent messages. They must stay stored. */
  *bodiesAwaited(): Generator<BodyRun, undefined> {
    for (const { runs } of this.#unsent()) yield* runs
  }

  /** The leases whose deliveries have not been sent. */
  get undelivered(): number[] {
    return [...this.#unsent()].flatMap((outgoing) => outgoing.leases)
  }

  *#unsent(): Generator<Outgoing, undefined> {
    yield* this.#beingRead
    yield* this.#work
    yield* this.#answers
  }

  /** Sets the frame kind that the peer began with. */
  speak(kind: FrameKind): void {
    this.#kind = kind
  }

  /** Sends a message that depends on nothing in the journal. */
  signal(message: BrokerMessage): void {
    this.#signals.push(message)
    this.#owner.onNews()
  }

  /** What is sent when everything decided so far is durable. */
  get answers(): Outgoing {
    this.#owner.onNews()
    return this.#answers.behind(this.#host.gate)
  }

  /** Delivers tasks under leases from `lease` on. If the grant must be durable first, the deliveries wait for that. */
  deliver(tasks: readonly Task[], lease: number, start: 'announced' | 'alone' | undefined, isGated: boolean): void {
    const outgoing = this.#work.behind(isGated ? this.#host.gate : this.#host.deliveryGate)
    const { nowMs } = this.#host
    for (let i = 0; i < tasks.length; i += 1) outgoing.deliver(tasks[i] as Task, lease + i, start, nowMs)
    this.#owner.onNews()
  }

  /**
   * Takes back the deliveries that wait for the disk, for their bodies, or for the peer to read.
   * @returns their leases
   */
  withdraw(): number[] {
    return [...this.#workBeingRead, ...this.#work].flatMap((outgoing) => outgoing.withdraw())
  }

  revoke(lease: number, reason: 'cancelled' | 'expired'): void {
    this.#work.behind(0).revoke(lease, reason)
    this.#owner.onNews()
  }

  /** Whether deliveries, outcomes or progress wait for it, and not only answers that its client need not wait for. */
  get isAwaited(): boolean {
    return !this.#work.isEmpty || this.#answers.bytes > 0
  }

  /** Whether as much is waiting as may be sent at once. */
  get isFull(): boolean {
    return this.#work.bytes + this.#answers.bytes > this.#host.config.sendBufferBytesHigh
  }

  /**
   * Tells the progress of a task, by its place in a submission or by its id. If there is no room, the newest value is
   * told later.
   */
  tellProgress(task: Task, submission: Submission | undefined): void {
    if (this.#hasRoom) {
      this.answers.progress(task, submission, task.past.progress)
      return
    }
    const names = this.#progressLater.get(task.seq)
    if (names) names.add(submission)
    else this.#progressLater.set(task.seq, new Set([submission]))
  }

  /** Tells the outcome of a task, by its place in a submission or by its id. */
  tellOutcome(task: Task, submission: Submission | undefined): void {
    if (this.#hasRoom) {
      this.answers.outcome(task, submission)
      return
    }
    const later = this.#outcomesLater.get(task.seq)
    if (later) later.names.add(submission)
    else this.#outcomesLater.set(task.seq, { id: task.id, names: new Set([submission]) })
  }

  /** The send buffer of the socket is empty. */
  emptied(): void {
    // The event may come late, when the buffer is full again.
    const { bufferedBytes } = this.#transport
    if (bufferedBytes <= this.#high(bufferedBytes)) this.#flow()
  }

  /** Pauses deliveries until what is waiting has been sent. */
  stall(): void {
    if (this.#delivery === 'stalled') return
    this.#become('stall')
  }

  #become(event: DeliveryEvent): void {
    const from = this.#delivery
    this.#delivery = nextDeliveryState(from, event)
    const { session } = this.#owner
    if (session !== undefined) tellRegion(this.#host.platform, session, 'delivery', [from, this.#delivery], event)
    this.#owner.onDeliveryChange()
  }

  #flow(): void {
    if (this.#delivery === 'stalled') this.#become('flow')
    this.#giveBackCredit()
    if (!this.#work.isEmpty) this.#owner.onNews()
    this.#tellLater()
  }

  /** Sends at once, ahead of everything that waits: the last message before a close. */
  sendNow(message: BrokerMessage): void {
    for (const frame of encodeFrames([message], this.#kind, this.#host.config.limits)) this.#transport.send(frame)
  }

  end(): void {
    this.#isOver = true
  }

  /** Sends what may be sent now. */
  leave(): void {
    if (this.#isOver) return
    const signals = this.#signals
    if (signals.length > 0) this.#signals = []
    if (this.#reading !== undefined) {
      this.#send(signals, NOTHING)
      return
    }
    const { durableBatch } = this.#host
    // Granted deliveries wait here, too, until the peer has read.
    const { bufferedBytes } = this.#transport
    const hasRoom = bufferedBytes <= this.#high(bufferedBytes)
    const work = hasRoom ? this.#work.take(durableBatch) : NOTHING
    const due = [...work, ...this.#answers.take(durableBatch)]
    const runs = due.flatMap((outgoing) => outgoing.runs)
    const reading = runs.length > 0 ? this.#host.bodies.fill(runs) : undefined
    if (reading === undefined) {
      this.#send(signals, due)
      return
    }
    this.#send(signals, NOTHING)
    this.#beingRead = due
    this.#workBeingRead = work
    this.#reading = reading
      .then(() => {
        this.#reading = undefined
        this.#beingRead = NOTHING
        this.#workBeingRead = NOTHING
        this.#send([], due)
        this.leave()
      })
      .catch((error: Error) => this.#host.fail(error))
  }

  #send(signals: readonly BrokerMessage[], due: readonly Outgoing[]): void {
    if (this.#isOver || (signals.length === 0 && due.length === 0)) return
    const { config } = this.#host
    let frames: (string | Uint8Array)[]
    try {
      frames = encodeFrames([...signals, ...due.flatMap((outgoing) => outgoing.complete())], this.#kind, config.limits)
    } catch (error) {
      // The limits allow an answer larger than a frame. That concerns this peer and its limits only, and nobody else.
      this.#host.log.error({ err: error, name: this.#owner.name }, 'closed a connection: a message fits no frame')
      this.#owner.onUnsendable()
      return
    }
    for (const frame of frames) this.#transport.send(frame)
    this.#left(due)
    const { bufferedBytes: buffered } = this.#transport
    if (buffered + this.#withheldBytes > config.sendBufferBytesMax) {
      this.#host.log.warn(
        { name: this.#owner.name, address: this.#transport.address, buffered },
        'closed a slow reader',
      )
      this.#owner.onSlowReader()
    } else if (buffered > this.#high(buffered)) {
      this.stall()
      this.#giveBackCredit()
    } else this.#flow()
  }

  #left(due: readonly Outgoing[]): void {
    const { nowMs } = this.#host
    for (const outgoing of due) {
      this.#answeredUnread += outgoing.answered
      const late = outgoing.lateLeases(nowMs, LATE_SHARE)
      if (late.length > 0) this.#owner.onLateDelivery(late)
    }
  }

  /**
   * Gives back the credit of answered tasks. While the peer does not read, it gives back about twice the credit at
   * most.
   */
  #giveBackCredit(): void {
    const answered = this.#answeredUnread
    if (answered === 0) return
    if (this.#delivery === 'flowing') this.#givenUnread = 0
    else if (this.#givenUnread > 2 * this.#host.state.config.submitCredit) return
    else this.#givenUnread += answered
    this.#answeredUnread = 0
    this.#owner.onAnswersLeft(answered)
  }

  /** A lower bound on the bytes of what is told when there is room. */
  get #withheldBytes(): number {
    return WITHHELD_BYTES * (this.#outcomesLater.size + this.#progressLater.size)
  }

  /** Whether more may be told than was asked for. */
  get #hasRoom(): boolean {
    return this.#delivery === 'flowing' && !this.isFull
  }

  #tellLater(): void {
    const { state } = this.#host
    for (const [seq, { id, names }] of this.#outcomesLater) {
      if (!this.#hasRoom) break
      this.#outcomesLater.delete(seq)
      const task = state.tasks.numbered(seq)
      // A task that was redriven meanwhile gets another outcome.
      if (!task) for (const submission of names) this.answers.forgotten({ id, seq }, submission)
      else if (isFinished(task)) for (const submission of names) this.tellOutcome(task, submission)
    }
    for (const [seq, names] of this.#progressLater) {
      if (!this.#hasRoom) break
      this.#progressLater.delete(seq)
      const task = state.tasks.numbered(seq)
      if (task && !isFinished(task)) for (const submission of names) this.tellProgress(task, submission)
    }
  }
}
