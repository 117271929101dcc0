import { isFinished, type State, type Submission, type Task } from '@sluice/engine'
import { nextDeliveryState } from '@sluice/machines'
import type { DeliveryState } from '@sluice/machines/states'
import { type BrokerMessage, encodeFrames, type FrameKind } from '@sluice/protocol'
import type { BodyRun, BodyStore } from './body-store.ts'
import type { HostConfig } from './host-config.ts'
import { Lane } from './lane.ts'
import type { Outgoing } from './outgoing.ts'
import type { HostLog, Transport } from './platform.ts'

/** About what an outcome or a progress value that is told later takes in memory. */
const WITHHELD_BYTES = 192
/** A delivery that leaves later than this share of its lease after the grant has its lease renewed. */
const LATE_SHARE = 0.01

const NOTHING: readonly Outgoing[] = []

/** What the sending half of a connection needs of its broker. */
export interface OutboundHost {
  readonly config: HostConfig
  readonly state: State
  readonly bodies: BodyStore
  readonly log: HostLog
  readonly nowMs: number
  /** The batch that everything decided so far waits for. */
  readonly gate: number
  /** The batch that every delivery waits for. */
  readonly deliveryGate: number
  /** The newest durable batch. */
  readonly durableBatch: number
  fail(error: Error): void
}

/** Hears of what it sends. */
export interface OutboundOwner {
  readonly name: string
  /** There is something to send at the end of the turn. */
  onNews(): void
  /** Whether it is to be given deliveries has changed. */
  onDeliveryChange(): void
  /** Answers to this many submitted tasks have left. */
  onAnswersLeft(count: number): void
  /** The deliveries of these leases have left so late that their leases count from now. */
  onLateDelivery(leases: readonly number[]): void
  /** The peer does not read. */
  onSlowReader(): void
  /** What it is to be sent fits no frame. */
  onUnsendable(): void
}

/**
 * The sending half of a connection. What is said at once (`signals`), deliveries and their revocations (`work`), and what waits
 * for the disk (`answers`) each keep their order; of the three the first to be ready leaves first.
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
  /** While the bodies of what leaves next are read, nothing overtakes it but signals. */
  #reading: Promise<void> | undefined
  /** What leaves once its bodies have been read. */
  #beingRead: readonly Outgoing[] = NOTHING
  #isOver = false
  /** Submitted tasks whose answers left, and whose credit has not been given back. */
  #answeredUnread = 0
  /** Submitted tasks whose credit was given back while the peer did not read. */
  #givenUnread = 0
  /** The numbers of finished tasks whose outcome is told when there is room for it, by the submission or by the id. */
  readonly #outcomesLater = new Map<number, { id: string; names: Set<Submission | undefined> }>()
  /** The numbers of tasks whose progress is told when there is room for it, likewise. */
  readonly #progressLater = new Map<number, Set<Submission | undefined>>()

  constructor(host: OutboundHost, owner: OutboundOwner, transport: Transport) {
    this.#host = host
    this.#owner = owner
    this.#transport = transport
  }

  get delivery(): DeliveryState {
    return this.#delivery
  }

  /** Settled once the bodies that are being read for it have been, and what they belong to is sent. */
  get reading(): Promise<void> | undefined {
    return this.#reading
  }

  /** Whether something waits for the disk. */
  get isWaiting(): boolean {
    return !this.#work.isEmpty || !this.#answers.isEmpty
  }

  /** Where the bodies are of what has not left: they have to stay there. */
  *bodiesAwaited(): Generator<BodyRun, undefined> {
    for (const { runs } of this.#unsent()) yield* runs
  }

  /** The leases whose deliveries have not left. */
  get undelivered(): number[] {
    return [...this.#unsent()].flatMap((outgoing) => outgoing.leases)
  }

  *#unsent(): Generator<Outgoing, undefined> {
    yield* this.#beingRead
    yield* this.#work
    yield* this.#answers
  }

  /** The kind of frame that the peer began with. */
  speak(kind: FrameKind): void {
    this.#kind = kind
  }

  /** Says what depends on nothing that has to be stored. */
  signal(message: BrokerMessage): void {
    this.#signals.push(message)
    this.#owner.onNews()
  }

  /** What leaves when everything decided so far is durable. */
  get answers(): Outgoing {
    this.#owner.onNews()
    return this.#answers.behind(this.#host.gate)
  }

  /** Delivers tasks under leases from `lease` on. Where the grant must be durable first, they wait for that. */
  deliver(tasks: readonly Task[], lease: number, start: 'announced' | 'alone' | undefined, isGated: boolean): void {
    const outgoing = this.#work.behind(isGated ? this.#host.gate : this.#host.deliveryGate)
    const { nowMs } = this.#host
    for (let i = 0; i < tasks.length; i += 1) outgoing.deliver(tasks[i] as Task, lease + i, start, nowMs)
    this.#owner.onNews()
  }

  revoke(lease: number, reason: 'cancelled' | 'expired'): void {
    this.#work.behind(0).revoke(lease, reason)
    this.#owner.onNews()
  }

  /** Whether there are deliveries, outcomes or progress for it: more than answers that its client need not wait for. */
  get isAwaited(): boolean {
    return !this.#work.isEmpty || this.#answers.bytes > 0
  }

  /** Whether as much waits for it as may be sent to it at once. */
  get isFull(): boolean {
    return this.#work.bytes + this.#answers.bytes > this.#host.config.sendBufferBytesHigh
  }

  /** Tells how far a task is, by its place in a submission or by its id; where there is no room, the newest value later. */
  tellProgress(task: Task, submission: Submission | undefined): void {
    if (this.#hasRoom) {
      this.answers.progress(task, submission, task.past.progress)
      return
    }
    const names = this.#progressLater.get(task.seq)
    if (names) names.add(submission)
    else this.#progressLater.set(task.seq, new Set([submission]))
  }

  /** Tells the outcome of a task by its place in a submission, or by its id. */
  tellOutcome(task: Task, submission: Submission | undefined): void {
    if (this.#hasRoom) {
      this.answers.outcome(task, submission)
      return
    }
    const later = this.#outcomesLater.get(task.seq)
    if (later) later.names.add(submission)
    else this.#outcomesLater.set(task.seq, { id: task.id, names: new Set([submission]) })
  }

  /** The socket has sent what it held. */
  emptied(): void {
    // This may be said late, when more waits again.
    if (this.#transport.bufferedBytes <= this.#host.config.sendBufferBytesHigh) this.#flow()
  }

  /** No deliveries until what there is to send has left. */
  stall(): void {
    if (this.#delivery === 'stalled') return
    this.#delivery = nextDeliveryState(this.#delivery, 'stall')
    this.#owner.onDeliveryChange()
  }

  #flow(): void {
    if (this.#delivery === 'stalled') {
      this.#delivery = nextDeliveryState(this.#delivery, 'flow')
      this.#owner.onDeliveryChange()
    }
    this.#giveBackCredit()
    if (!this.#work.isEmpty) this.#owner.onNews()
    this.#tellLater()
  }

  /** Sends at once, ahead of what waits: the last word before a close. */
  sendNow(message: BrokerMessage): void {
    for (const frame of encodeFrames([message], this.#kind, this.#host.config.limits)) this.#transport.send(frame)
  }

  end(): void {
    this.#isOver = true
  }

  /** Sends what may leave now. */
  leave(): void {
    if (this.#isOver) return
    const signals = this.#signals
    if (signals.length > 0) this.#signals = []
    if (this.#reading !== undefined) {
      this.#send(signals, NOTHING)
      return
    }
    const { durableBatch, config } = this.#host
    // What has been granted waits here, too, until the peer has read.
    const hasRoom = this.#transport.bufferedBytes <= config.sendBufferBytesHigh
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
    this.#reading = reading
      .then(() => {
        this.#reading = undefined
        this.#beingRead = NOTHING
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
      // Limits under which an answer can be larger than a frame: a matter between this peer and them, and of no one else.
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
    } else if (buffered > config.sendBufferBytesHigh) {
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

  /** Gives back the credit of answered tasks. While the peer does not read, that is about twice its credit at most. */
  #giveBackCredit(): void {
    const answered = this.#answeredUnread
    if (answered === 0) return
    if (this.#delivery === 'flowing') this.#givenUnread = 0
    else if (this.#givenUnread > 2 * this.#host.state.config.submitCredit) return
    else this.#givenUnread += answered
    this.#answeredUnread = 0
    this.#owner.onAnswersLeft(answered)
  }

  /** Of what is to be told when there is room, at the least. */
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
      // Of one that was made ready again in the meantime there will be another outcome.
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
