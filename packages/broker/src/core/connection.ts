import { isFinished, type Session, type Submission, type Task } from '@sluice/engine'
import {
  type DeliveryState,
  nextDeliveryState,
  nextReadingState,
  nextServiceState,
  nextSessionState,
  type ReadingState,
  type ServiceState,
  type SessionValue,
} from '@sluice/machines'
import {
  type ClientMessage,
  decodeClientFrame,
  type ErrorCode,
  encodeFrames,
  type FrameKind,
  type Hello,
  type Submit,
  VERSIONS,
  type WireError,
} from '@sluice/protocol'
import type { Host } from './host.ts'
import { Outgoing } from './outgoing.ts'
import type { Transport } from './platform.ts'
import { submitCommand } from './submit-command.ts'
import { statusOf } from './task-status.ts'
import { wireError } from './wire-error.ts'

const WORKER_MESSAGES = new Set(['credit', 'heartbeat', 'reportProgress', 'complete', 'fail', 'release'])

/** What an outcome or a progress value takes on the wire at the least: the place of its task. */
const WITHHELD_BYTES = 8

/** What the session is as far as this connection has seen it. In the last two the connection is over. */
type Phase =
  | { state: 'awaitingHello'; cancelDeadline: () => void }
  | { state: 'connected'; session: string; roles: ReadonlySet<string> }
  | { state: 'disconnected' }
  | { state: 'closed' }

/** One WebSocket: its hello, its session, what it says and what it is sent. */
export class Connection {
  readonly #host: Host
  readonly #transport: Transport
  #phase: Phase
  #kind: FrameKind = 'text'
  #submitsUnanswered = 0
  #reading: ReadingState = 'reading'
  /** What the worker asked for; withheld while its socket is full. */
  #credit: { credit: number; queues: string[] } = { credit: 0, queues: [] }
  #delivery: DeliveryState = 'flowing'
  #service: ServiceState = 'serving'
  /** Frames that came before reading could be stopped. */
  #unread: (string | Uint8Array)[] = []
  /** The numbers of finished tasks whose outcome is told when there is room for it, by the submission or by the id. */
  readonly #outcomesLater = new Map<number, { id: string; names: Set<Submission | undefined> }>()
  /** The numbers of tasks whose progress is told when there is room for it, likewise. */
  readonly #progressLater = new Map<number, Set<Submission | undefined>>()
  outgoing = new Outgoing()
  name = ''

  constructor(host: Host, transport: Transport) {
    this.#host = host
    this.#transport = transport
    const cancelDeadline = host.platform.setTimer(
      () => this.refuse('hello_timeout', 'no hello arrived in time', 4003),
      host.config.helloTimeoutMs,
    )
    this.#phase = { state: 'awaitingHello', cancelDeadline }
  }

  get session(): string | undefined {
    return this.#phase.state === 'connected' ? this.#phase.session : undefined
  }

  /** Where its session is in `sessionMachine`. */
  get value(): SessionValue {
    const { state } = this.#phase
    if (state !== 'connected') return state
    return { connected: { reading: this.#reading, delivery: this.#delivery, service: this.#service } }
  }

  get #isOver(): boolean {
    const { state } = this.#phase
    return state === 'disconnected' || state === 'closed'
  }

  get hasOutgoing(): boolean {
    return this.outgoing.messages.length > 0
  }

  takeOutgoing(): Outgoing {
    const { outgoing } = this
    this.outgoing = new Outgoing()
    return outgoing
  }

  /** A frame has arrived: text as a string, binary as bytes that nobody else will change. */
  receive(frame: string | Uint8Array): void {
    try {
      this.#receive(frame)
    } catch (error) {
      this.#host.fail(error as Error)
    }
  }

  #receive(frame: string | Uint8Array): void {
    if (this.#isOver) return
    // Behind what waits already, also where the batch in the making has room again.
    if (this.#host.isSaturated || this.#unread.length > 0) {
      this.#unread.push(frame)
      this.#host.pauseWhenSaturated(this)
      return
    }
    if (this.#phase.state === 'awaitingHello') this.#kind = typeof frame === 'string' ? 'text' : 'binary'
    const decoded = decodeClientFrame(frame, this.#host.config.limits)
    if (!decoded.ok) {
      this.#closeWith(decoded.error, decoded.error.code === 'too_large' ? 1009 : 4000)
      return
    }
    for (const message of decoded.messages) {
      this.#handle(message)
      if (this.#isOver) return
    }
    this.#host.pauseWhenSaturated(this)
  }

  /** The socket has sent what it held. */
  drained(): void {
    // Whoever says so may say it late, when more waits again.
    if (this.#transport.bufferedBytes > this.#host.config.sendBufferBytesHigh) return
    try {
      this.#flow()
    } catch (error) {
      this.#host.fail(error as Error)
    }
  }

  #flow(): void {
    if (this.#delivery === 'stalled') {
      this.#delivery = nextDeliveryState(this.#delivery, 'flow')
      this.#setCredit()
    }
    this.#tellLater()
  }

  /** No deliveries until what there is to send has left. */
  stall(): void {
    if (this.#delivery === 'stalled') return
    this.#delivery = nextDeliveryState(this.#delivery, 'stall')
    this.#setCredit()
  }

  /** The socket is gone. The session stays for its grace window. */
  closed(): void {
    try {
      this.#end('lose')
    } catch (error) {
      this.#host.fail(error as Error)
    }
  }

  close(code: number, reason: string): void {
    this.#transport.close(code, reason)
    this.#end('close')
  }

  #end(event: 'lose' | 'close' | 'bye'): void {
    const phase = this.#phase
    if (phase.state === 'disconnected' || phase.state === 'closed') return
    const state = nextSessionState(phase.state, event)
    this.#phase = { state } as Phase
    const host = this.#host
    host.connections.delete(this)
    if (phase.state === 'awaitingHello') {
      phase.cancelDeadline()
      return
    }
    const { session } = phase
    host.sessions.delete(session)
    // What nobody will write any more needs no event: the next start takes every session as disconnected.
    if (host.status !== 'ready' && host.status !== 'draining') return
    host.apply({ type: state === 'closed' ? 'closeSession' : 'disconnectSession', session })
  }

  pause(): void {
    this.#transport.pause()
  }

  resume(): void {
    if (this.#isOver) return
    const unread = this.#unread
    this.#unread = []
    for (const frame of unread) this.receive(frame)
    this.#readOn()
  }

  /** Unless something else keeps it from that: what was just read may have filled the next batch. */
  #readOn(): void {
    this.#host.pauseWhenSaturated(this)
    if (!this.#host.isSaturated && this.#reading === 'reading') this.#transport.resume()
  }

  announceDrain(): void {
    if (this.#phase.state !== 'connected') return
    this.#service = nextServiceState(this.#service, 'drain')
    this.outgoing.messages.push({ type: 'drain', retryAfterMs: this.#host.config.drainRetryAfterMs })
  }

  /** Sends what has become durable. */
  send(outgoing: Outgoing): void {
    if (this.#isOver) return
    const { config } = this.#host
    let frames: (string | Uint8Array)[]
    try {
      frames = encodeFrames(outgoing.complete(), this.#kind, config.limits)
    } catch (error) {
      // Limits under which an answer can be larger than a frame: a matter between this peer and them, and of no one else.
      this.#host.log.error({ err: error, name: this.name }, 'closed a connection: what it is to be sent fits no frame')
      this.refuse('internal', 'an answer fits no frame of frameBytesMax: ask for fewer things at once', 4009)
      return
    }
    for (const frame of frames) this.#transport.send(frame)
    this.#submitsUnanswered -= outgoing.answered
    if (this.#reading === 'paused' && this.#submitsUnanswered <= this.#host.state.config.submitCredit) {
      this.#reading = nextReadingState(this.#reading, 'answer')
      this.#readOn()
    }
    const { bufferedBytes: buffered } = this.#transport
    if (buffered + this.#withheldBytes > config.sendBufferBytesMax) {
      this.#host.log.warn({ name: this.name, buffered }, 'closed a slow reader')
      this.close(4004, 'slow_reader')
      // A peer that reads nothing would not read the close either.
      this.#transport.terminate()
    } else if (buffered > config.sendBufferBytesHigh) this.stall()
    else this.#flow()
  }

  /** Of what is to be told when there is room, at the least. */
  get #withheldBytes(): number {
    return WITHHELD_BYTES * (this.#outcomesLater.size + this.#progressLater.size)
  }

  /** Whether more may be told than was asked for. */
  get #hasRoom(): boolean {
    return this.#delivery === 'flowing' && this.outgoing.bytes <= this.#host.config.sendBufferBytesHigh
  }

  /** Tells how far a task is, by its place in a submission or by its id; where there is no room, the newest value later. */
  tellProgress(task: Task, submission: Submission | undefined): void {
    if (this.#hasRoom) {
      this.outgoing.progress(task, submission, task.past.progress)
      return
    }
    const names = this.#progressLater.get(task.seq)
    if (names) names.add(submission)
    else this.#progressLater.set(task.seq, new Set([submission]))
  }

  /** Tells the outcome of a task by its place in a submission, or by its id. */
  tellOutcome(task: Task, submission: Submission | undefined): void {
    if (this.#hasRoom) {
      this.outgoing.outcome(task, submission)
      return
    }
    const later = this.#outcomesLater.get(task.seq)
    if (later) later.names.add(submission)
    else this.#outcomesLater.set(task.seq, { id: task.id, names: new Set([submission]) })
  }

  #tellLater(): void {
    const { state } = this.#host
    for (const [seq, { id, names }] of this.#outcomesLater) {
      if (!this.#hasRoom) break
      this.#outcomesLater.delete(seq)
      const task = state.tasks.numbered(seq)
      // Of one that was made ready again in the meantime there will be another outcome.
      if (!task) for (const submission of names) this.outgoing.forgotten({ id, seq }, submission)
      else if (isFinished(task)) for (const submission of names) this.tellOutcome(task, submission)
    }
    for (const [seq, names] of this.#progressLater) {
      if (!this.#hasRoom) break
      this.#progressLater.delete(seq)
      const task = state.tasks.numbered(seq)
      if (task && !isFinished(task)) for (const submission of names) this.tellProgress(task, submission)
    }
    if (this.hasOutgoing) this.#host.scheduleTurn()
  }

  /** Says why and closes; for what no peer of this protocol does. */
  refuse(code: ErrorCode, message: string, closeCode: number): void {
    this.#closeWith({ code, message }, closeCode)
  }

  #closeWith(error: WireError, closeCode: number): void {
    if (this.#isOver) return
    this.#host.log.info({ name: this.name, code: error.code, field: error.field }, 'refused a connection')
    for (const frame of encodeFrames([{ type: 'error', ...error }], this.#kind, this.#host.config.limits))
      this.#transport.send(frame)
    this.close(closeCode, error.code)
  }

  #error(ref: number | undefined, error: WireError): void {
    this.outgoing.messages.push(ref === undefined ? { type: 'error', ...error } : { type: 'error', ...error, ref })
    this.#host.scheduleTurn()
  }

  #handle(message: ClientMessage): void {
    const phase = this.#phase
    if (phase.state === 'awaitingHello') {
      if (message.type === 'hello') this.#hello(message, phase.cancelDeadline)
      else this.refuse('hello_expected', 'the first message has to be hello', 4000)
      return
    }
    if (phase.state !== 'connected') return
    const { session } = phase
    const ref = 'ref' in message ? message.ref : undefined
    if (WORKER_MESSAGES.has(message.type) && !phase.roles.has('worker')) {
      this.#error(ref, { code: 'not_permitted', message: `${message.type} needs the role worker in hello` })
      return
    }
    const host = this.#host
    const reply = this.outgoing.messages
    switch (message.type) {
      case 'submit':
        this.#submit(session, message)
        break
      case 'complete': {
        const { ref, contentType, leases, bodies } = message
        const refused = host.apply(
          { type: 'complete', session, ref, contentType, index: 0, leases, bytes: bodies.lengths },
          bodies.bytes,
        )
        reply.push({ type: 'settled', ref, refused: refused.map(indexed) })
        break
      }
      case 'fail': {
        const refused = host.apply({ ...message, session })
        reply.push({ type: 'settled', ref: message.ref, refused: refused.map(indexed) })
        break
      }
      case 'release': {
        const refused = host.apply({ ...message, session })
        reply.push({ type: 'settled', ref: message.ref, refused: refused.map(indexed) })
        break
      }
      case 'credit': {
        const before = this.#credit
        this.#credit = message
        // What is refused must not be what a full socket withholds.
        if (!this.#setCredit()) this.#credit = before
        break
      }
      case 'heartbeat': {
        const held = host.state.sessions.get(session)?.leases
        host.apply({ type: 'heartbeat', session, leases: message.leases })
        reply.push({ type: 'renewed', ref: message.ref, lost: message.leases.filter((lease) => !held?.has(lease)) })
        break
      }
      case 'reportProgress':
        host.apply({ type: 'reportProgress', session, updates: message.updates })
        break
      case 'cancel': {
        const refused = host.apply({ type: 'cancel', session, ref: message.ref, ids: message.ids })
        reply.push({ type: 'cancelled', ref: message.ref, refused: refused.map(indexed) })
        break
      }
      case 'watch': {
        // The answer goes first, the outcomes of finished tasks behind it; before it the tasks that it does not cover.
        const unknown: number[] = []
        const place = reply.length
        reply.push({ type: 'watched', ref: message.ref, unknown })
        for (const event of host.apply({ type: 'watch', session, ref: message.ref, ids: message.ids })) {
          if (event.code === 'unknown_task') unknown.push(event.index as number)
          else
            reply.splice(place, 0, {
              type: 'error',
              ...wireError(event),
              ref: message.ref,
              field: `ids[${event.index}]`,
            })
        }
        break
      }
      case 'unwatch':
        host.apply({ type: 'unwatch', session, ids: message.ids })
        break
      case 'query':
        this.outgoing.status(
          message.ref,
          message.ids.map((id) => statusOf(host, id)),
          host.config.sendBufferBytesHigh,
        )
        break
      case 'ping':
        reply.push({ type: 'pong', ref: message.ref })
        break
      case 'pong':
        break
      case 'bye':
        this.#transport.close(1000, 'bye')
        this.#end('bye')
        return
      case 'hello':
        this.#error(undefined, { code: 'bad_message', message: 'hello was said already', field: 'type' })
        break
    }
    host.scheduleTurn()
  }

  #hello(hello: Hello, cancelDeadline: () => void): void {
    const host = this.#host
    const version = VERSIONS.find((offered) => hello.versions.includes(offered))
    if (version === undefined) {
      this.refuse('unsupported_version', `this broker speaks version ${VERSIONS.join(', ')}`, 4002)
      return
    }
    const held = hello.resume && host.state.sessions.get(hello.resume.session)
    const session = held?.id ?? host.platform.secretId()
    const named = hello.resume?.leases ?? []
    const state = held ? nextSessionState(held.phase, 'resume') : nextSessionState('awaitingHello', 'open')
    if (held) {
      host.sessions.get(session)?.close(4005, 'session_replaced')
      host.apply({ type: 'resumeSession', session, leases: named })
    } else {
      const [busy] = host.apply({ type: 'openSession', session, roles: hello.roles })
      if (busy) {
        this.#closeWith(wireError(busy), 4008)
        return
      }
    }
    cancelDeadline()
    this.#phase = { state, session, roles: new Set(hello.roles) } as Phase
    this.name = hello.name ?? ''
    host.sessions.set(session, this)
    const leases = (host.state.sessions.get(session) as Session).leases
    this.outgoing.messages.push({
      type: 'welcome',
      version,
      session,
      resumed: held !== undefined,
      lostLeases: named.filter((lease) => !leases.has(lease)),
      submitCredit: host.state.config.submitCredit,
      heartbeatMs: host.config.heartbeatMs,
      graceMs: host.state.config.graceMs,
      durability: host.journal.durability,
      limits: host.config.limits,
    })
    if (host.status === 'draining') this.announceDrain()
    host.scheduleTurn()
  }

  #submit(session: string, submit: Submit): void {
    const { ref, ids, bodies } = submit
    const host = this.#host
    if (this.#service === 'draining') {
      this.#error(ref, {
        code: 'draining',
        message: 'the broker is leaving: reconnect and submit again',
        retryAfterMs: host.config.drainRetryAfterMs,
      })
    } else {
      const refused = host.apply(submitCommand(submit, session, 0), bodies.bytes)
      this.outgoing.messages.push({ type: 'submitted', ref, refused: refused.map(indexed) })
    }
    this.outgoing.answered += ids.length
    this.#submitsUnanswered += ids.length
    if (this.#submitsUnanswered > host.state.config.submitCredit && this.#reading === 'reading') {
      this.#reading = nextReadingState(this.#reading, 'overdraw')
      this.#transport.pause()
    }
  }

  /** Returns whether the queue takes it. */
  #setCredit(): boolean {
    const { session } = this
    if (session === undefined) return true
    const { credit, queues } = this.#credit
    const given = this.#delivery === 'stalled' ? 0 : credit
    const refused = this.#host.apply({ type: 'setCredit', session, credit: given, queues })
    for (const event of refused) this.#error(undefined, wireError(event))
    return refused.length === 0
  }
}

function indexed(event: Parameters<typeof wireError>[0]): { index: number; error: WireError } {
  return { index: event.index as number, error: wireError(event) }
}
