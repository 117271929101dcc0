import { type Command, type EventOf, isSilent, type Session } from '@sluice/engine'
import { nextReadingState, nextServiceState, nextSessionState } from '@sluice/machines'
import type { ReadingState, ServiceState, SessionValue } from '@sluice/machines/states'
import {
  type BrokerMessage,
  type ClientMessage,
  decodeClientFrame,
  type ErrorCode,
  type Hello,
  type Submit,
  VERSIONS,
  type WireError,
} from '@sluice/protocol'
import type { Durability } from '../journal/journal.ts'
import { Outbound, type OutboundHost, type OutboundOwner } from './outbound.ts'
import type { HostPlatform, Transport } from './platform.ts'
import { submitCommand } from './submit-command.ts'
import { statusOf } from './task-status.ts'
import { wireError } from './wire-error.ts'

const WORKER_MESSAGES = new Set(['credit', 'begin', 'heartbeat', 'reportProgress', 'complete', 'fail', 'release'])

/** What a connection needs of its broker. */
export interface ConnectionHost extends OutboundHost {
  readonly platform: HostPlatform
  readonly durability: Durability
  /** Whether sessions are served: until the broker has failed or stopped. */
  readonly isServing: boolean
  readonly isDraining: boolean
  /** Whether the batch in the making takes no more bodies. */
  readonly isSaturated: boolean
  /** Decides a command and takes its events; returns the refusals. */
  apply(command: Command, bodies?: Uint8Array): EventOf<'refused'>[]
  scheduleTurn(): void
  /** Pauses the connection where its input cannot be staged now, until it can. */
  pauseWhenSaturated(connection: Connection): void
  /** The connection has something to send at the end of the turn. */
  onNews(connection: Connection): void
  /** The connection carries this session from now on; another one that did is closed. */
  onSession(connection: Connection, session: string): void
  /** The connection is over; it carried this session, if any. */
  onEnd(connection: Connection, session: string | undefined): void
}

/** What the session is as far as this connection has seen it. In the last two the connection is over. */
type Phase =
  | { state: 'awaitingHello'; cancelDeadline: () => void }
  | { state: 'connected'; session: string; roles: ReadonlySet<string> }
  | { state: 'disconnected' }
  | { state: 'closed' }

/** One WebSocket: its hello, its session, and what it says. What it is sent is its `Outbound`. */
export class Connection implements OutboundOwner {
  readonly outbound: Outbound
  readonly #host: ConnectionHost
  readonly #transport: Transport
  #phase: Phase
  #hasBegun = false
  #submitsUnanswered = 0
  #reading: ReadingState = 'reading'
  /** What the worker asked for; withheld while its socket is full. */
  #credit: { credit: number; queues: string[] } = { credit: 0, queues: [] }
  #service: ServiceState = 'serving'
  /** Frames that came before reading could be stopped. */
  #unread: (string | Uint8Array)[] = []
  /** Whether the broker knows that there is something to send. */
  #isNoted = false
  name = ''

  constructor(host: ConnectionHost, transport: Transport) {
    this.#host = host
    this.#transport = transport
    this.outbound = new Outbound(host, this, transport)
    const cancelDeadline = host.platform.setTimer(() => this.#missHello(), host.config.helloTimeoutMs)
    this.#phase = { state: 'awaitingHello', cancelDeadline }
  }

  get session(): string | undefined {
    return this.#phase.state === 'connected' ? this.#phase.session : undefined
  }

  /** Where its session is in `sessionMachine`. */
  get value(): SessionValue {
    const { state } = this.#phase
    if (state !== 'connected') return state
    return { connected: { reading: this.#reading, delivery: this.outbound.delivery, service: this.#service } }
  }

  get #isOver(): boolean {
    const { state } = this.#phase
    return state === 'disconnected' || state === 'closed'
  }

  // ─── what arrives ────────────────────────────────────────────────────────────────────────────────────────────────

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
    if (!this.#hasBegun) this.outbound.speak(typeof frame === 'string' ? 'text' : 'binary')
    this.#hasBegun = true
    const decoded = decodeClientFrame(frame, this.#host.config.limits)
    if (!decoded.ok) {
      this.#closeWith(decoded.error, decoded.error.code === 'too_large' ? 1009 : 4000)
      return
    }
    this.#noteSignOfLife()
    for (const message of decoded.messages) {
      this.#handle(message)
      if (this.#isOver) return
    }
    this.#host.pauseWhenSaturated(this)
  }

  /** A session that let a lease expire is given work again once it is heard. */
  #noteSignOfLife(): void {
    const { session } = this
    const held = session === undefined ? undefined : this.#host.state.sessions.get(session)
    if (held && isSilent(held)) this.#host.apply({ type: 'heard', session: held.id })
  }

  /** The socket has sent what it held. */
  drained(): void {
    try {
      this.outbound.drained()
    } catch (error) {
      this.#host.fail(error as Error)
    }
  }

  /** The socket is gone. The session stays for its grace window. */
  closed(): void {
    try {
      this.#end('lose')
    } catch (error) {
      this.#host.fail(error as Error)
    }
  }

  // ─── how it ends ─────────────────────────────────────────────────────────────────────────────────────────────────

  close(code: number, reason: string): void {
    this.#transport.close(code, reason)
    this.#end('close')
  }

  #end(event: 'lose' | 'close' | 'bye'): void {
    const phase = this.#phase
    if (phase.state === 'disconnected' || phase.state === 'closed') return
    const state = nextSessionState(phase.state, event)
    this.#phase = { state } as Phase
    this.outbound.end()
    if (phase.state === 'awaitingHello') {
      phase.cancelDeadline()
      this.#host.onEnd(this, undefined)
      return
    }
    const { session } = phase
    this.#host.onEnd(this, session)
    // What nobody will write any more needs no event: the next start takes every session as disconnected.
    if (this.#host.isServing)
      this.#host.apply({ type: state === 'closed' ? 'closeSession' : 'disconnectSession', session })
  }

  #missHello(): void {
    // What waits in the socket is read first: the hello may have come while the broker could not listen.
    this.#host.platform.afterTurn(() => {
      if (this.#phase.state === 'awaitingHello') this.refuse('hello_timeout', 'no hello arrived in time', 4003)
    })
  }

  /** Says why and closes; for what no peer of this protocol does. */
  refuse(code: ErrorCode, message: string, closeCode: number): void {
    this.#closeWith({ code, message }, closeCode)
  }

  #closeWith(error: WireError, closeCode: number): void {
    if (this.#isOver) return
    this.#host.log.info({ name: this.name, code: error.code, field: error.field }, 'refused a connection')
    this.outbound.sendNow({ type: 'error', ...error })
    this.close(closeCode, error.code)
  }

  // ─── reading ─────────────────────────────────────────────────────────────────────────────────────────────────────

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

  // ─── sending ─────────────────────────────────────────────────────────────────────────────────────────────────────

  announceDrain(): void {
    if (this.#phase.state !== 'connected') return
    this.#service = nextServiceState(this.#service, 'drain')
    this.outbound.answers.messages.push({ type: 'drain', retryAfterMs: this.#host.config.drainRetryAfterMs })
  }

  /** Sends what may leave now; returns whether it has to be asked again. */
  leave(): boolean {
    this.#isNoted = false
    this.outbound.leave()
    // It may have been noted again meanwhile.
    if (this.#isNoted || this.#isOver || !this.outbound.isWaiting) return false
    this.#isNoted = true
    return true
  }

  onNews(): void {
    if (this.#isNoted) this.#host.scheduleTurn()
    else if (!this.#isOver) {
      this.#isNoted = true
      this.#host.onNews(this)
    }
  }

  onDeliveryChange(): void {
    this.#setCredit()
  }

  onAnswered(count: number): void {
    this.#submitsUnanswered -= count
    if (this.#reading === 'paused' && this.#submitsUnanswered <= this.#host.state.config.submitCredit) {
      this.#reading = nextReadingState(this.#reading, 'answer')
      this.#readOn()
    }
  }

  onLateDelivery(leases: readonly number[]): void {
    if (this.session !== undefined) this.#host.apply({ type: 'heartbeat', session: this.session, leases })
  }

  onSlowReader(): void {
    this.close(4004, 'slow_reader')
    // A peer that reads nothing would not read the close either.
    this.#transport.terminate()
  }

  onUnsendable(): void {
    this.refuse('internal', 'an answer fits no frame of frameBytesMax: ask for fewer things at once', 4009)
  }

  #error(ref: number | undefined, error: WireError): void {
    this.outbound.answers.messages.push(
      ref === undefined ? { type: 'error', ...error } : { type: 'error', ...error, ref },
    )
    this.#host.scheduleTurn()
  }

  // ─── messages ────────────────────────────────────────────────────────────────────────────────────────────────────

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
        this.#answer({ type: 'settled', ref, refused: refused.map(indexed) })
        break
      }
      case 'fail':
      case 'release': {
        const refused = host.apply({ ...message, session })
        this.#answer({ type: 'settled', ref: message.ref, refused: refused.map(indexed) })
        break
      }
      case 'credit': {
        const before = this.#credit
        this.#credit = message
        // What is refused must not be what a full socket withholds.
        if (!this.#setCredit()) this.#credit = before
        break
      }
      case 'begin':
        host.apply({ type: 'begin', session, lease: message.lease })
        break
      case 'heartbeat': {
        const held = host.state.sessions.get(session)?.leases
        host.apply({ type: 'heartbeat', session, leases: message.leases })
        const lost = message.leases.filter((lease) => !held?.has(lease))
        this.outbound.signal({ type: 'renewed', ref: message.ref, lost })
        break
      }
      case 'reportProgress':
        host.apply({ type: 'reportProgress', session, updates: message.updates })
        break
      case 'cancel': {
        const refused = host.apply({ type: 'cancel', session, ref: message.ref, ids: message.ids })
        this.#answer({ type: 'cancelled', ref: message.ref, refused: refused.map(indexed) })
        break
      }
      case 'watch':
        this.#watch(session, message.ref, message.ids)
        break
      case 'unwatch':
        host.apply({ type: 'unwatch', session, ids: message.ids })
        break
      case 'query':
        this.outbound.answers.status(
          message.ref,
          message.ids.map((id) => statusOf(host, id)),
          host.config.sendBufferBytesHigh,
        )
        break
      case 'ping':
        this.outbound.signal({ type: 'pong', ref: message.ref })
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

  #answer(message: BrokerMessage): void {
    this.outbound.answers.messages.push(message)
  }

  #hello(hello: Hello, cancelDeadline: () => void): void {
    const host = this.#host
    const version = VERSIONS.find((offered) => hello.versions.includes(offered))
    if (version === undefined) {
      this.refuse('unsupported_version', `this broker speaks version ${VERSIONS.join(', ')}`, 4002)
      return
    }
    const { resume, roles, begins } = hello
    const held = resume && host.state.sessions.get(resume.session)
    const session = held?.id ?? host.platform.secretId()
    const named = resume?.leases ?? []
    const state = held ? nextSessionState(held.phase, 'resume') : nextSessionState('awaitingHello', 'open')
    if (!held) {
      const [busy] = host.apply({ type: 'openSession', session, roles, begins: begins ?? false })
      if (busy) {
        this.#closeWith(wireError(busy), 4008)
        return
      }
    }
    cancelDeadline()
    this.#phase = { state, session, roles: new Set(roles) } as Phase
    this.name = hello.name ?? ''
    host.onSession(this, session)
    if (held) {
      const { begun } = resume as NonNullable<Hello['resume']>
      host.apply({ type: 'resumeSession', session, leases: named, begins: begins ?? false, begun })
    }
    const leases = (host.state.sessions.get(session) as Session).leases
    this.outbound.signal({
      type: 'welcome',
      version,
      session,
      resumed: held !== undefined,
      lostLeases: named.filter((lease) => !leases.has(lease)),
      submitCredit: host.state.config.submitCredit,
      heartbeatMs: host.config.heartbeatMs,
      graceMs: host.state.config.graceMs,
      durability: host.durability,
      limits: host.config.limits,
      begins: true,
    })
    if (host.isDraining) this.announceDrain()
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
      this.#answer({ type: 'submitted', ref, refused: refused.map(indexed) })
    }
    this.outbound.answers.answered += ids.length
    this.#submitsUnanswered += ids.length
    if (this.#submitsUnanswered > host.state.config.submitCredit && this.#reading === 'reading') {
      this.#reading = nextReadingState(this.#reading, 'overdraw')
      this.#transport.pause()
    }
  }

  /** The answer goes first, the outcomes of finished tasks behind it; before it the tasks that it does not cover. */
  #watch(session: string, ref: number, ids: readonly string[]): void {
    const { messages } = this.outbound.answers
    const unknown: number[] = []
    const place = messages.length
    messages.push({ type: 'watched', ref, unknown })
    for (const event of this.#host.apply({ type: 'watch', session, ref, ids })) {
      if (event.code === 'unknown_task') unknown.push(event.index as number)
      else messages.splice(place, 0, { type: 'error', ...wireError(event), ref, field: `ids[${event.index}]` })
    }
  }

  /** Returns whether the queue takes it. */
  #setCredit(): boolean {
    const { session } = this
    if (session === undefined) return true
    const { credit, queues } = this.#credit
    const given = this.outbound.delivery === 'stalled' ? 0 : credit
    const refused = this.#host.apply({ type: 'setCredit', session, credit: given, queues })
    for (const event of refused) this.#error(undefined, wireError(event))
    return refused.length === 0
  }
}

function indexed(event: EventOf<'refused'>): { index: number; error: WireError } {
  return { index: event.index as number, error: wireError(event) }
}
