import { type Command, type EventOf, unknownTask } from '@sluice/engine'
import { nextReadingState, nextServiceState, type ReadingEvent } from '@sluice/machines'
import type { ReadingState, ServiceState } from '@sluice/machines/states'
import type { BrokerMessage, ClientMessage, Role, Submit, WireError } from '@sluice/protocol'
import { type AccessControl, AccessError, type Principal } from './access/access-control.ts'
import { authorize, MESSAGE_RULES, notPermitted, type Rule } from './access/authorize.ts'
import type { ConnectionShare, Quotas } from './access/quotas.ts'
import { assertNotRevoked } from './access/revocation.ts'
import { type TokenHolder, TokenLife } from './access/token-life.ts'
import { visibleTasks } from './access/visible-tasks.ts'
import type { Outbound, OutboundHost } from './outbound.ts'
import { tellRegion } from './session-steps.ts'
import { submitCommand } from './submit-command.ts'
import { statusOf } from './task-status.ts'
import { brief, wireError } from './wire-error.ts'

const WORKER_MESSAGES = new Set(['credit', 'begin', 'heartbeat', 'reportProgress', 'complete', 'fail', 'release'])

/** What the requests of a session need from its broker. */
export interface RequestsHost extends OutboundHost {
  /** Access control. Undefined if everybody may do everything. */
  readonly access: AccessControl | undefined
  /** Undefined without access control. */
  readonly quotas: Quotas | undefined
  /** Decides a command and takes its events. Returns the refusals. */
  apply(command: Command, bodies?: Uint8Array): EventOf<'refused'>[]
  scheduleTurn(): void
  fail(error: Error): void
}

/** The connection that carries the requests. */
export interface RequestsConnection {
  readonly name: string
  readonly outbound: Outbound
  /** More tasks are unanswered than the credit allows: stop reading. */
  onOverdrawn(): void
  /** The principal uses more than its share of the broker: read nothing for this long, in ms. */
  rest(ms: number): void
  /** Enough tasks are answered: resume reading. */
  onAnswered(): void
  onBye(): void
  onTokenExpired(): void
}

/** The client of a session. */
export interface Asker {
  readonly session: string
  readonly roles: readonly Role[]
  /** Undefined without access control. */
  readonly principal: Principal | undefined
  /** Undefined without access control. */
  readonly share: ConnectionShare | undefined
}

/** The requests of a session's client over one connection, after the welcome. */
export class Requests implements TokenHolder {
  readonly session: string
  readonly #roles: ReadonlySet<Role>
  readonly #host: RequestsHost
  readonly #connection: RequestsConnection
  readonly #outbound: Outbound
  readonly #tokenLife: TokenLife
  readonly #share: ConnectionShare | undefined
  #principal: Principal | undefined
  #submitsUnanswered = 0
  #reading: ReadingState = 'reading'
  #service: ServiceState = 'serving'
  /** The credit that the worker asked for. It is withheld while the socket is full. */
  #credit: { credit: number; queues: string[] } = { credit: 0, queues: [] }
  #isOver = false

  constructor(host: RequestsHost, connection: RequestsConnection, { session, roles, principal, share }: Asker) {
    this.#host = host
    this.#connection = connection
    this.#outbound = connection.outbound
    this.session = session
    this.#roles = new Set(roles)
    this.#principal = principal
    this.#share = share
    this.#tokenLife = new TokenLife(host.platform, this)
  }

  /** The principal of the client. Undefined without access control. */
  get principal(): Principal | undefined {
    return this.#principal
  }

  get reading(): ReadingState {
    return this.#reading
  }

  get service(): ServiceState {
    return this.#service
  }

  /** The token counts from now on. Returns how long it is valid, in ms. Undefined without a token. */
  beginToken(): number | undefined {
    return this.#principal && this.#tokenLife.begin(this.#principal)
  }

  onTokenExpiring(inMs: number): void {
    this.#outbound.signal({ type: 'tokenExpiring', inMs })
  }

  onTokenExpired(): void {
    this.#connection.onTokenExpired()
  }

  /** The connection has ended. */
  end(): void {
    this.#isOver = true
    this.#tokenLife.end()
  }

  announceDrain(): void {
    const from = this.#service
    this.#service = nextServiceState(from, 'drain')
    tellRegion(this.#host.platform, this.session, 'service', [from, this.#service], 'drain')
    this.#outbound.signal({ type: 'drain', retryAfterMs: this.#host.config.drainRetryAfterMs })
  }

  #read(event: ReadingEvent): void {
    const from = this.#reading
    this.#reading = nextReadingState(from, event)
    tellRegion(this.#host.platform, this.session, 'reading', [from, this.#reading], event)
  }

  /** The answers to this many submitted tasks have been sent. */
  onAnswered(count: number): void {
    this.#submitsUnanswered -= count
    if (this.#reading === 'paused' && this.#submitsUnanswered <= this.#host.state.config.submitCredit) {
      this.#read('answer')
      this.#connection.onAnswered()
    }
  }

  handle(message: ClientMessage): void {
    const { session } = this
    const host = this.#host
    const ref = 'ref' in message ? message.ref : undefined
    const refused = this.#refusalOf(message)
    if (refused !== undefined) {
      this.#error(ref, refused)
      return
    }
    switch (message.type) {
      case 'submit':
        this.#submit(message)
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
        const tooMuch = this.#share?.setCredit(message.credit)
        if (tooMuch) {
          this.#error(undefined, tooMuch)
          return
        }
        const before = this.#credit
        this.#credit = message
        // A credit that the broker refuses must not become the one that a full socket withholds.
        if (!this.applyCredit()) {
          this.#credit = before
          this.#share?.setCredit(before.credit)
        }
        break
      }
      case 'begin':
        host.apply({ type: 'begin', session, lease: message.lease })
        break
      case 'heartbeat': {
        const held = host.state.sessions.get(session)?.leases
        host.apply({ type: 'heartbeat', session, leases: message.leases })
        const lost = message.leases.filter((lease) => !held?.has(lease))
        this.#outbound.signal({ type: 'renewed', ref: message.ref, lost })
        break
      }
      case 'reportProgress':
        host.apply({ type: 'reportProgress', session, updates: message.updates })
        break
      case 'cancel':
        this.#noteLookUps(message.ids)
        this.#cancel(message.ref, message.ids)
        break
      case 'watch':
        this.#noteLookUps(message.ids)
        this.#watch(message.ref, message.ids)
        break
      case 'unwatch':
        host.apply({ type: 'unwatch', session, ids: message.ids })
        break
      case 'query':
        this.#noteLookUps(message.ids)
        // A client that does not read its answers could else make the broker hold them, and look things up without end.
        if (this.#outbound.isBehind) {
          this.#error(message.ref, this.#behind())
          return
        }
        this.#outbound.answers.status(
          message.ref,
          message.ids.map((id) => statusOf(host, id, this.#principal)),
          host.config.sendBufferBytesHigh,
        )
        break
      case 'renew':
        this.#renew(message.ref, message.token)
        break
      case 'ping':
        this.#outbound.signal({ type: 'pong', ref: message.ref })
        break
      case 'pong':
        break
      case 'bye':
        this.#connection.onBye()
        return
      case 'hello':
        this.#error(undefined, { code: 'bad_message', message: 'hello was said already', field: 'type' })
        break
    }
    host.scheduleTurn()
  }

  /**
   * Why this client may not send this message. The owners of the named tasks are checked where the tasks are looked up.
   */
  #refusalOf(message: ClientMessage): WireError | undefined {
    if (WORKER_MESSAGES.has(message.type) && !this.#roles.has('worker'))
      return { code: 'not_permitted', message: `${message.type} needs the role worker in hello` }
    const principal = this.#principal
    const rule: Rule = MESSAGE_RULES[message.type]
    if (principal === undefined || rule.ask !== 'scope') return undefined
    // A queue that could not be read is refused as that.
    if (message.type === 'submit' && message.fault !== undefined) return undefined
    const queues = 'queue' in message ? [message.queue] : 'queues' in message ? message.queues : []
    const refused = queues.find((queue) => !authorize(principal, rule.action, queue))
    return refused === undefined ? undefined : notPermitted(principal, rule.action, refused)
  }

  #noteLookUps({ length }: readonly string[]): void {
    const restMs = (this.#principal && this.#host.quotas?.lookUp(this.#principal, length)) ?? 0
    if (restMs > 0) this.#connection.rest(restMs)
  }

  #behind(): WireError {
    const limit = this.#host.config.sendBufferBytesHigh
    const message = `too many bytes wait for you to read (sendBufferBytesHigh is ${limit}): read them, then ask again`
    return { code: 'busy', message, limit, retryAfterMs: this.#host.state.config.retryAfterMsMin }
  }

  #answer(message: BrokerMessage): void {
    this.#outbound.answers.messages.push(message)
  }

  #error(ref: number | undefined, told: WireError): void {
    const error = brief(told)
    if (ref === undefined) this.#outbound.signal({ type: 'error', ...error })
    else this.#answer({ type: 'error', ...error, ref })
    this.#host.scheduleTurn()
  }

  #submit(submit: Submit): void {
    const { ref, ids, bodies } = submit
    const host = this.#host
    if (this.#service === 'draining') {
      this.#error(ref, {
        code: 'draining',
        message: 'the broker is leaving: reconnect and submit again',
        retryAfterMs: host.config.drainRetryAfterMs,
      })
    } else if (submit.fault !== undefined) this.#error(ref, submit.fault)
    else {
      const principal = this.#principal
      const tooMuch = principal && host.quotas?.submit(principal, ids.length, bodies.bytes.length)
      // To refuse takes time too.
      if (tooMuch) this.#connection.rest(tooMuch.retryAfterMs as number)
      const { defaults } = host.state.config
      const refused = tooMuch
        ? ids.map((_, index) => ({ index, error: tooMuch }))
        : host.apply(submitCommand(submit, this.session, 0, defaults, principal?.id), bodies.bytes).map(indexed)
      this.#answer({ type: 'submitted', ref, refused })
    }
    this.#outbound.answers.answered += ids.length
    this.#submitsUnanswered += ids.length
    if (this.#submitsUnanswered > host.state.config.submitCredit && this.#reading === 'reading') {
      this.#read('overdraw')
      this.#connection.onOverdrawn()
    }
  }

  #cancel(ref: number, all: readonly string[]): void {
    const { session } = this
    const { ids, placeOf, hidden } = visibleTasks(this.#host.state, this.#principal, 'cancel', all)
    const refused = this.#host
      .apply({ type: 'cancel', session, ref, ids })
      .map((event) => ({ index: placeOf(event.index as number), error: wireError(event) }))
    for (const index of hidden) refused.push(indexed(unknownTask(session, all[index] as string, { ref, index })))
    if (hidden.length > 0) refused.sort((a, b) => a.index - b.index)
    this.#answer({ type: 'cancelled', ref, refused })
  }

  /**
   * Watches tasks. The order of messages: first errors for tasks that the answer does not cover, then the answer, then
   * the outcomes of finished tasks.
   */
  #watch(ref: number, all: readonly string[]): void {
    const { messages } = this.#outbound.answers
    const unknown: number[] = []
    const place = messages.length
    messages.push({ type: 'watched', ref, unknown })
    const { ids, placeOf, hidden } = visibleTasks(this.#host.state, this.#principal, 'read', all)
    for (const event of this.#host.apply({ type: 'watch', session: this.session, ref, ids })) {
      const index = placeOf(event.index as number)
      if (event.code === 'unknown_task') unknown.push(index)
      else messages.splice(place, 0, { type: 'error', ...wireError(event), ref, field: `ids[${index}]` })
    }
    if (hidden.length === 0) return
    unknown.push(...hidden)
    unknown.sort((a, b) => a - b)
  }

  /** Applies the credit again, less what a full socket withholds. Returns whether the broker accepts it. */
  applyCredit(): boolean {
    const { credit, queues } = this.#credit
    const given = this.#outbound.delivery === 'stalled' ? 0 : credit
    const refused = this.#host.apply({ type: 'setCredit', session: this.session, credit: given, queues })
    for (const event of refused) this.#error(undefined, wireError(event))
    return refused.length === 0
  }

  /** Takes a new token for the same principal. If it is not accepted, the previous one stays in force. */
  #renew(ref: number, token: string): void {
    const { access, state, log } = this.#host
    if (access === undefined) {
      this.#error(ref, { code: 'bad_message', message: 'this broker has no access control', field: 'type' })
      return
    }
    void access
      .authenticate(token)
      .then((principal) => {
        if (this.#isOver) return
        assertNotRevoked(state, principal)
        if (principal.id !== this.#principal?.id)
          throw new AccessError('The new token is of another principal: open a connection of its own for it.')
        this.#principal = principal
        this.#outbound.signal({ type: 'tokenRenewed', ref, expiresInMs: this.#tokenLife.begin(principal) })
        this.#dropForbiddenQueues(principal)
        this.#host.scheduleTurn()
      })
      .catch((error: Error) => {
        if (this.#isOver) return
        if (error instanceof AccessError) {
          this.#error(ref, { code: error.code, message: error.message, field: 'token' })
          return
        }
        log.error({ err: error, name: this.#connection.name }, 'a token could not be checked')
        this.#error(ref, { code: 'internal', message: 'The token could not be checked: try again later.' })
      })
      .catch((error: Error) => this.#host.fail(error))
  }

  /** Stops taking from queues that the new token does not allow. */
  #dropForbiddenQueues(principal: Principal): void {
    const { credit, queues } = this.#credit
    const allowed = queues.filter((queue) => authorize(principal, 'work', queue))
    if (allowed.length === queues.length) return
    this.#credit = { credit, queues: allowed }
    this.applyCredit()
  }
}

function indexed(event: EventOf<'refused'>): { index: number; error: WireError } {
  return { index: event.index as number, error: wireError(event) }
}
