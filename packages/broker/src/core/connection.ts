import { isSilent, type Session } from '@sluice/engine'
import type { SessionValue } from '@sluice/machines/states'
import {
  type ClientMessage,
  decodeClientFrame,
  type ErrorCode,
  type Hello,
  type Labels,
  VERSIONS,
  type WireError,
} from '@sluice/protocol'
import type { Durability } from '../journal/journal.ts'
import { AccessError, type Principal } from './access/access-control.ts'
import type { ConnectionShare } from './access/quotas.ts'
import { assertNotRevoked } from './access/revocation.ts'
import { GAVE_WAY, HELLO_FRAME_BYTES_MAX, HELLO_TOO_LARGE } from './hello-faults.ts'
import { Outbound, type OutboundOwner } from './outbound.ts'
import type { Transport } from './platform.ts'
import { printable } from './printable.ts'
import { Requests, type RequestsConnection, type RequestsHost } from './requests.ts'
import { Rest } from './rest.ts'
import { sessionStep } from './session-steps.ts'
import { stopped } from './stopped.ts'
import { brief, wireError } from './wire-error.ts'

/** Frames that are kept of a connection that does not wait until its token is checked. */
const UNREAD_FRAMES_MAX = 16
const UNREAD_BYTES_MAX = 64 * 1024

/** What a connection needs from its broker. */
export interface ConnectionHost extends RequestsHost {
  readonly durability: Durability
  /** Whether sessions are served, which ends when the broker fails or stops. */
  readonly isServing: boolean
  readonly isDraining: boolean
  /** Whether the open batch takes no more bodies. */
  readonly isSaturated: boolean
  /** Pauses the connection while its input cannot be staged. */
  pauseWhenSaturated(connection: Connection): void
  /** Called when the connection has something to send at the end of the turn. */
  onNews(connection: Connection): void
  /** Whether a connection carries this session. */
  isCarried(session: string): boolean
  /** The connection carries this session from now on. Another one that carried it is closed. */
  onSession(connection: Connection, session: string): void
  /** The connection has ended. `session` is the one that it carried, if any. */
  onEnd(connection: Connection, session: string | undefined): void
}

/** The session's phase as this connection knows it. In the last two the connection has ended. */
type Phase =
  | { state: 'awaitingHello' | 'authenticating'; cancelDeadline: () => void }
  | { state: 'connected'; requests: Requests }
  | { state: 'disconnected' }
  | { state: 'closed' }

/** One WebSocket: its hello and its end. `Requests` handles what it asks, `Outbound` what it is sent. */
export class Connection implements OutboundOwner, RequestsConnection {
  readonly outbound: Outbound
  readonly #host: ConnectionHost
  readonly #transport: Transport
  /** Undefined without access control. */
  readonly #share: ConnectionShare | undefined
  #phase: Phase
  #hasBegun = false
  /** Frames that arrived before reading stopped. */
  #unread: (string | Uint8Array)[] = []
  /** Messages after `hello` in the same frame, while the token is checked. */
  #unheard: readonly ClientMessage[] = []
  readonly #rest: Rest
  /** Whether the broker knows that there is something to send. */
  #isNoted = false
  name = ''
  labels: Labels = {}

  constructor(host: ConnectionHost, transport: Transport, share?: ConnectionShare) {
    this.#host = host
    this.#transport = transport
    this.#share = share
    this.outbound = new Outbound(host, this, transport)
    this.#rest = new Rest(host.platform)
    const cancelDeadline = host.platform.setTimer(() => this.#missHello(), host.config.helloTimeoutMs)
    this.#phase = { state: 'awaitingHello', cancelDeadline }
    transport.limitFrames?.(HELLO_FRAME_BYTES_MAX)
  }

  get #requests(): Requests | undefined {
    return this.#phase.state === 'connected' ? this.#phase.requests : undefined
  }

  get session(): string | undefined {
    return this.#requests?.session
  }

  /** The principal of the connection. Undefined without access control, or before it is known. */
  get principal(): Principal | undefined {
    return this.#requests?.principal
  }

  /** The state of its session in `sessionMachine`. */
  get value(): SessionValue {
    const phase = this.#phase
    if (phase.state !== 'connected') return phase.state
    const { reading, service } = phase.requests
    return { connected: { reading, delivery: this.outbound.delivery, service } }
  }

  /** Whether it has sent nothing yet. */
  get isSilent(): boolean {
    return this.#phase.state === 'awaitingHello'
  }

  get #isOver(): boolean {
    return this.#phase.state === 'disconnected' || this.#phase.state === 'closed'
  }

  // ─── receiving ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** Takes a frame: text as a string, binary as bytes that nobody changes later. */
  receive(frame: string | Uint8Array): void {
    try {
      this.#receive(frame)
    } catch (error) {
      this.#host.fail(error as Error)
    }
  }

  #receive(frame: string | Uint8Array): void {
    if (this.#isOver) return
    if (this.#phase.state === 'authenticating') {
      this.#keepUnread(frame)
      return
    }
    // Frames that wait go first, even if the open batch has room again.
    if (this.#host.isSaturated || this.#unread.length > 0) {
      this.#unread.push(frame)
      this.#host.pauseWhenSaturated(this)
      return
    }
    if (!this.#hasBegun) this.outbound.speak(typeof frame === 'string' ? 'text' : 'binary')
    this.#hasBegun = true
    if (this.#phase.state === 'awaitingHello' && frame.length > HELLO_FRAME_BYTES_MAX) {
      this.#closeWith(HELLO_TOO_LARGE, 1009)
      return
    }
    const decoded = decodeClientFrame(frame, this.#host.config.limits)
    if (!decoded.ok) {
      this.#closeWith(decoded.error, decoded.error.code === 'too_large' ? 1009 : 4000)
      return
    }
    this.#noteSignOfLife()
    this.#hear(decoded.messages)
  }

  #hear(messages: readonly ClientMessage[]): void {
    for (let i = 0; i < messages.length; i += 1) {
      this.#handle(messages[i] as ClientMessage)
      if (this.#isOver) return
      if (this.#phase.state === 'authenticating') {
        this.#unheard = messages.slice(i + 1)
        return
      }
    }
    this.#host.pauseWhenSaturated(this)
  }

  /**
   * Keeps a frame that arrives while the token is checked. Reading has stopped, so only frames that were under way
   * arrive.
   */
  #keepUnread(frame: string | Uint8Array): void {
    this.#unread.push(frame)
    let bytes = 0
    for (const { length } of this.#unread) bytes += length
    if (this.#unread.length > UNREAD_FRAMES_MAX || bytes > UNREAD_BYTES_MAX)
      this.refuse('hello_expected', 'Wait for welcome before you say more than hello.', 4000)
  }

  /** A session that let a lease expire gets work again after a message from it. */
  #noteSignOfLife(): void {
    const { session } = this
    const held = session === undefined ? undefined : this.#host.state.sessions.get(session)
    if (held && isSilent(held)) this.#host.apply({ type: 'heard', session: held.id })
  }

  /** The send buffer of the socket is empty. */
  emptied(): void {
    try {
      this.outbound.emptied()
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

  // ─── closing ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Closes the connection. Tells the peer why first, if it can still be reached. */
  end(error: WireError, closeCode: number): void {
    if (this.#isOver) return
    this.outbound.sendNow({ type: 'error', ...error })
    this.#close(closeCode, error.code)
  }

  /** Closes because the broker stops. A peer that got the drain message knows why. */
  endAtStop(): void {
    if (this.#requests?.service === 'draining') this.#close(4006, 'draining')
    else this.end(stopped(this.#host.config.drainRetryAfterMs), 4006)
  }

  #close(code: number, reason: string): void {
    this.#transport.close(code, reason)
    this.#end('close', code === 4005)
  }

  /** @param isReplaced another connection resumes the session, which is told as one step */
  #end(event: 'lose' | 'close' | 'bye', isReplaced = false): void {
    const phase = this.#phase
    if (phase.state === 'disconnected' || phase.state === 'closed') return
    const state = sessionStep(isReplaced ? undefined : this.#host.platform, this.session, phase.state, event)
    this.#phase = { state } as Phase
    this.#share?.end()
    this.#rest.end()
    this.outbound.end()
    this.#unread = []
    this.#unheard = []
    if (phase.state === 'awaitingHello' || phase.state === 'authenticating') {
      phase.cancelDeadline()
      this.#host.onEnd(this, undefined)
      return
    }
    if (phase.state !== 'connected') return
    const { session } = phase.requests
    phase.requests.end()
    this.#host.onEnd(this, session)
    // No event is needed if nothing is written any more: the next start treats every session as disconnected.
    if (this.#host.isServing)
      this.#host.apply({ type: state === 'closed' ? 'closeSession' : 'disconnectSession', session })
  }

  /** Closes a connection that has sent nothing, to make room for a newer one. */
  giveWay(): void {
    this.end({ ...GAVE_WAY, retryAfterMs: this.#host.state.config.retryAfterMsMin }, 4008)
    // A silent peer may never answer the close.
    this.#transport.terminate()
  }

  #missHello(): void {
    // Read the socket's input first: the hello may have arrived while the broker was busy.
    this.#host.platform.afterTurn(() => {
      const { state } = this.#phase
      if (state === 'awaitingHello') this.refuse('hello_timeout', 'no hello arrived in time', 4003)
      if (state === 'authenticating') this.refuse('hello_timeout', 'the token could not be checked in time', 4003)
    })
  }

  /** Sends the reason and closes. For faults that no peer of this protocol commits. */
  refuse(code: ErrorCode, message: string, closeCode: number): void {
    this.#closeWith({ code, message }, closeCode)
  }

  #closeWith(told: WireError, closeCode: number): void {
    if (this.#isOver) return
    const error = brief(told)
    const { address } = this.#transport
    this.#host.log.info(
      { name: printable(this.name), address, code: error.code, field: error.field },
      'refused a connection',
    )
    this.end(error, closeCode)
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

  /** Resumes reading, unless something else prevents it: the input just read may have filled the next batch. */
  #readOn(): void {
    if (this.#phase.state === 'authenticating') return
    this.#host.pauseWhenSaturated(this)
    const isHeld = this.#requests?.reading === 'paused' || this.#rest.isOn
    if (!this.#host.isSaturated && !isHeld) this.#transport.resume()
  }

  // ─── sending ─────────────────────────────────────────────────────────────────────────────────────────────────────

  announceDrain(): void {
    const { session } = this
    // Nothing is delivered once the drain is announced. What waits for this peer is handed back.
    const leases = this.outbound.withdraw()
    if (session !== undefined && leases.length > 0) this.#host.apply({ type: 'release', session, ref: 0, leases })
    this.#requests?.announceDrain()
  }

  /** Sends what may be sent now. Returns whether it must be asked again. */
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
    this.#requests?.applyCredit()
  }

  onAnswersLeft(count: number): void {
    this.#requests?.onAnswered(count)
  }

  onLateDelivery(leases: readonly number[]): void {
    if (this.session !== undefined) this.#host.apply({ type: 'heartbeat', session: this.session, leases })
  }

  onOverdrawn(): void {
    this.#transport.pause()
  }

  rest(ms: number): void {
    this.#transport.pause()
    this.#rest.begin(ms, () => this.#readOn())
  }

  onAnswered(): void {
    this.#readOn()
  }

  onBye(): void {
    this.#transport.close(1000, 'bye')
    this.#end('bye')
  }

  onTokenExpired(): void {
    this.refuse('token_expired', 'The token has expired: come back with a new one.', 4010)
  }

  onSlowReader(): void {
    this.#close(4004, 'slow_reader')
    // A peer that reads nothing would not read the close either.
    this.#transport.terminate()
  }

  unreadMax(bytes: number): number {
    return this.#share?.unreadMax(bytes) ?? Number.POSITIVE_INFINITY
  }

  onUnsendable(): void {
    this.refuse('internal', 'an answer fits no frame of frameBytesMax: ask for fewer things at once', 4009)
  }

  // ─── hello ────────────────────────────────────────────────────────────────────────────────────────────────────

  #handle(message: ClientMessage): void {
    const phase = this.#phase
    if (phase.state === 'awaitingHello') {
      if (message.type === 'hello') this.#hello(message, phase.cancelDeadline)
      else this.refuse('hello_expected', 'the first message has to be hello', 4000)
      return
    }
    if (phase.state === 'connected') phase.requests.handle(message)
  }

  #hello(hello: Hello, cancelDeadline: () => void): void {
    const host = this.#host
    const version = VERSIONS.find((offered) => hello.versions.includes(offered))
    if (version === undefined) {
      this.refuse('unsupported_version', `this broker speaks version ${VERSIONS.join(', ')}`, 4002)
      return
    }
    const { access } = host
    if (access === undefined) {
      this.#open(hello, version, undefined, cancelDeadline)
      return
    }
    this.#phase = { state: sessionStep(host.platform, '', 'awaitingHello', 'authenticate'), cancelDeadline } as Phase
    this.pause()
    void access
      .authenticate(hello.token)
      .then((principal) => {
        if (this.#phase.state !== 'authenticating') return
        assertNotRevoked(host.state, principal)
        this.#open(hello, version, principal, cancelDeadline)
        if (!this.#isOver) this.#hearOn()
      })
      .catch((error: Error) => this.#onUnauthenticated(error))
      .catch((error: Error) => host.fail(error))
  }

  /** Handles the messages after the hello. */
  #hearOn(): void {
    const unheard = this.#unheard
    this.#unheard = []
    this.#hear(unheard)
    this.resume()
  }

  #onUnauthenticated(error: Error): void {
    if (error instanceof AccessError) {
      this.refuse(error.code, error.message, error.code === 'token_expired' ? 4010 : 4001)
      return
    }
    this.#host.log.error({ err: error, name: this.name }, 'a token could not be checked')
    this.refuse('internal', 'The token could not be checked: try again later.', 4009)
  }

  #open(hello: Hello, version: number, principal: Principal | undefined, cancelDeadline: () => void): void {
    const host = this.#host
    const { resume, begins } = hello
    const known = resume && host.state.sessions.get(resume.session)
    // A session of another principal counts as unknown.
    const held = known?.owner === principal?.id ? known : undefined
    const roles = held ? held.roles : hello.roles
    const session = held?.id ?? host.platform.secretId()
    const named = resume?.leases ?? []
    const isTaken = held !== undefined && host.isCarried(held.id)
    const tooMany = principal && this.#share?.welcome(principal, isTaken)
    if (tooMany) {
      this.#closeWith(tooMany, 4008)
      return
    }
    if (!held) {
      const owner = principal?.id
      const [busy] = host.apply({ type: 'openSession', session, roles: hello.roles, begins: begins ?? false, owner })
      if (busy) {
        this.#closeWith(wireError(busy), 4008)
        return
      }
    }
    cancelDeadline()
    this.#transport.limitFrames?.(host.config.limits.frameBytesMax)
    const requests = new Requests(host, this, { session, roles, principal, share: this.#share })
    const [before, event] = held ? ([held.phase, 'resume'] as const) : ([this.#phase.state, 'open'] as const)
    this.#phase = { state: sessionStep(host.platform, session, before, event), requests } as Phase
    this.name = hello.name ?? ''
    this.labels = hello.labels ?? {}
    host.onSession(this, session)
    if (held) {
      const { begun } = resume as NonNullable<Hello['resume']>
      host.apply({ type: 'resumeSession', session, leases: named, begins: begins ?? false, begun })
    }
    const leases = (host.state.sessions.get(session) as Session).leases
    const tokenExpiresInMs = requests.beginToken()
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
      ...(tokenExpiresInMs === undefined ? {} : { tokenExpiresInMs }),
    })
    if (host.isDraining) this.announceDrain()
    host.scheduleTurn()
  }
}
