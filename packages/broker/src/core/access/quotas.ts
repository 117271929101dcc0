import type { WireError } from '@sluice/protocol'
import type { Principal } from './access-control.ts'
import { addressGroup } from './address-group.ts'
import { TokenBucket } from './token-bucket.ts'

/** How much of a broker with access control one principal, and one address, may use. */
export interface QuotaConfig {
  /** Connections of a principal. Default 1,000. */
  principalConnectionsMax: number
  /** Connections from an address. Default 1,000. */
  addressConnectionsMax: number
  /** Connections from an address that have not been welcomed. Default 100. */
  addressPendingMax: number
  /** Tasks that a principal submits per second. Default 50,000. */
  principalSubmitsPerSecond: number
  /** Bytes of the bodies that a principal submits per second. Default 128 MiB. */
  principalBytesPerSecond: number
  /**
   * Ids that a principal queries, watches or cancels per second. Past that, its connections are read more slowly. Default
   * 50,000.
   */
  principalLookUpsPerSecond: number
  /** Deliveries that all workers of a principal may hold together. Default 100,000. */
  principalCreditMax: number
  /** HTTP requests of a principal that wait for an outcome. Default 1,000. */
  principalWaitsMax: number
  /**
   * Bytes that all connections of a principal have not read. Past that, each of them may have 64 KiB unread before it
   * gets no deliveries. Default 64 MiB.
   */
  principalUnreadBytesMax: number
  /** HTTP requests from an address that are not answered yet. Default 1,000. */
  addressRequestsMax: number
}

export const DEFAULT_QUOTAS: Readonly<QuotaConfig> = Object.freeze({
  principalConnectionsMax: 1000,
  addressConnectionsMax: 1000,
  addressPendingMax: 100,
  principalSubmitsPerSecond: 50_000,
  principalBytesPerSecond: 128 * 1024 ** 2,
  principalLookUpsPerSecond: 50_000,
  principalCreditMax: 100_000,
  principalWaitsMax: 1000,
  principalUnreadBytesMax: 64 * 1024 ** 2,
  addressRequestsMax: 1000,
})

/** The retry delay when a principal or an address has reached a quota and must wait until some of its use ends. */
const RETRY_AFTER_MS = 1000
/** The number of remembered principals from which idle ones are searched for and forgotten. */
const REMEMBERED_MIN = 1000
/** Fewer unread bytes are not counted. Sockets do not tell when so few have been read. */
const UNREAD_BYTES_MIN = 64 * 1024

interface AddressUse {
  connections: number
  pending: number
  requests: number
}

interface PrincipalUse {
  connections: number
  credit: number
  waits: number
  unreadBytes: number
  readonly submits: TokenBucket
  readonly bytes: TokenBucket
  readonly lookUps: TokenBucket
}

/** What a connection uses of the quota of its address, and of its principal once that is known. */
export interface ConnectionShare {
  /**
   * The connection acts for this principal from now on. Returns a refusal if the principal has too many connections,
   * unless this one `replaces` another of them.
   */
  welcome(principal: Principal, replaces: boolean): WireError | undefined
  /** Its worker asks for this credit in place of the previous one. */
  setCredit(credit: number): WireError | undefined
  /** This many bytes are unread over it. Returns how many may be; infinite if the principal is within its quota. */
  unreadMax(bytes: number): number
  end(): void
}

/** Keeps the use of a broker by principals and addresses within their quotas. */
export class Quotas {
  readonly config: QuotaConfig
  readonly #nowMs: () => number
  readonly #addresses = new Map<string, AddressUse>()
  readonly #principals = new Map<string, PrincipalUse>()
  #lookAt = REMEMBERED_MIN

  constructor(config: QuotaConfig, nowMs: () => number) {
    this.config = config
    this.#nowMs = nowMs
  }

  /** The number of remembered principals. */
  get remembered(): number {
    return this.#principals.size
  }

  /** A connection from this address, or a refusal if the address has too many. */
  connect(address: string | undefined): ConnectionShare | WireError {
    const group = addressGroup(address ?? '')
    const use = this.#addresses.get(group) ?? { connections: 0, pending: 0, requests: 0 }
    const { addressConnectionsMax, addressPendingMax } = this.config
    if (use.connections >= addressConnectionsMax)
      return tooMany('addressConnectionsMax', addressConnectionsMax, 'connections', 'address')
    if (use.pending >= addressPendingMax)
      return tooMany('addressPendingMax', addressPendingMax, 'connections before hello', 'address')
    use.connections += 1
    use.pending += 1
    this.#addresses.set(group, use)
    return new Share(this, group, use)
  }

  /** A principal submits this much now. Returns a refusal if it submitted too much in the last second. */
  submit({ id }: Principal, tasks: number, bytes: number): WireError | undefined {
    const nowMs = this.#nowMs()
    const use = this.useOf(id)
    const [tasksWaitMs, bytesWaitMs] = [use.submits.waitMs(nowMs), use.bytes.waitMs(nowMs)]
    if (tasksWaitMs > 0 || bytesWaitMs > 0) {
      const name = tasksWaitMs >= bytesWaitMs ? 'principalSubmitsPerSecond' : 'principalBytesPerSecond'
      const limit = this.config[name]
      return {
        code: 'busy',
        message: `you submit more than ${name} allows (${limit}): wait`,
        field: 'principal',
        limit,
        retryAfterMs: Math.max(tasksWaitMs, bytesWaitMs),
      }
    }
    use.submits.take(tasks, nowMs)
    use.bytes.take(bytes, nowMs)
    return undefined
  }

  /** A principal asks about this many ids. Returns how long it must not ask for more, in ms. */
  lookUp({ id }: Principal, ids: number): number {
    const { lookUps } = this.useOf(id)
    const nowMs = this.#nowMs()
    lookUps.take(ids, nowMs)
    return lookUps.waitMs(nowMs)
  }

  /** A principal waits over HTTP. Returns a function that ends the wait, or a refusal. */
  wait({ id }: Principal): (() => void) | WireError {
    const use = this.useOf(id)
    const { principalWaitsMax } = this.config
    if (use.waits >= principalWaitsMax)
      return tooMany('principalWaitsMax', principalWaitsMax, 'waiting requests', 'principal')
    use.waits += 1
    return () => {
      use.waits -= 1
    }
  }

  /** A request from this address. Returns a function that ends it, or a refusal if too many are not answered yet. */
  request(address: string): (() => void) | WireError {
    const group = addressGroup(address)
    const use = this.#addresses.get(group) ?? { connections: 0, pending: 0, requests: 0 }
    const { addressRequestsMax } = this.config
    if (use.requests >= addressRequestsMax)
      return tooMany('addressRequestsMax', addressRequestsMax, 'unanswered requests', 'address')
    use.requests += 1
    this.#addresses.set(group, use)
    return () => {
      use.requests -= 1
      this.forgetAddress(group, use)
    }
  }

  /** Forgets an address that uses nothing. */
  forgetAddress(group: string, { connections, requests }: AddressUse): void {
    if (connections === 0 && requests === 0) this.#addresses.delete(group)
  }

  /** What a principal uses. For its connections. */
  useOf(id: string): PrincipalUse {
    const known = this.#principals.get(id)
    if (known) return known
    if (this.#principals.size >= this.#lookAt) this.#forgetIdle()
    const { principalSubmitsPerSecond, principalBytesPerSecond, principalLookUpsPerSecond } = this.config
    const nowMs = this.#nowMs()
    const use = {
      connections: 0,
      credit: 0,
      waits: 0,
      unreadBytes: 0,
      submits: new TokenBucket(principalSubmitsPerSecond, nowMs),
      bytes: new TokenBucket(principalBytesPerSecond, nowMs),
      lookUps: new TokenBucket(principalLookUpsPerSecond, nowMs),
    }
    this.#principals.set(id, use)
    return use
  }

  /**
   * Forgets principals whose state equals that of a new one. It runs rarely enough to cost each new principal little.
   */
  #forgetIdle(): void {
    const nowMs = this.#nowMs()
    for (const [id, { connections, waits, submits, bytes, lookUps }] of this.#principals) {
      const isIdle = connections === 0 && waits === 0
      if (isIdle && [submits, bytes, lookUps].every((bucket) => bucket.isFull(nowMs))) this.#principals.delete(id)
    }
    this.#lookAt = Math.max(REMEMBERED_MIN, this.#principals.size * 2)
  }
}

/** A class, because a broker holds thousands of them: closures would take five times the memory. */
class Share implements ConnectionShare {
  readonly #quotas: Quotas
  readonly #group: string
  readonly #address: AddressUse
  #principal: PrincipalUse | undefined
  #credit = 0
  #unread = 0

  constructor(quotas: Quotas, group: string, address: AddressUse) {
    this.#quotas = quotas
    this.#group = group
    this.#address = address
  }

  welcome({ id }: Principal, replaces: boolean): WireError | undefined {
    const { principalConnectionsMax } = this.#quotas.config
    const use = this.#quotas.useOf(id)
    if (use.connections >= principalConnectionsMax && !replaces)
      return tooMany('principalConnectionsMax', principalConnectionsMax, 'connections', 'principal')
    this.#principal = use
    use.connections += 1
    this.#address.pending -= 1
    return undefined
  }

  setCredit(credit: number): WireError | undefined {
    const principal = this.#principal
    if (principal === undefined) return undefined
    const { principalCreditMax } = this.#quotas.config
    const sum = principal.credit - this.#credit + credit
    if (credit > this.#credit && sum > principalCreditMax)
      return tooMany('principalCreditMax', principalCreditMax, 'credits of workers', 'principal')
    principal.credit = sum
    this.#credit = credit
    return undefined
  }

  unreadMax(bytes: number): number {
    const principal = this.#principal
    if (principal === undefined) return Number.POSITIVE_INFINITY
    const counted = bytes > UNREAD_BYTES_MIN ? bytes : 0
    principal.unreadBytes += counted - this.#unread
    this.#unread = counted
    const isWithin = principal.unreadBytes <= this.#quotas.config.principalUnreadBytesMax
    return isWithin ? Number.POSITIVE_INFINITY : UNREAD_BYTES_MIN
  }

  end(): void {
    const principal = this.#principal
    this.#address.connections -= 1
    this.#quotas.forgetAddress(this.#group, this.#address)
    if (principal === undefined) {
      this.#address.pending -= 1
      return
    }
    principal.connections -= 1
    principal.credit -= this.#credit
    principal.unreadBytes -= this.#unread
  }
}

function tooMany(name: keyof QuotaConfig, limit: number, what: string, field: 'principal' | 'address'): WireError {
  const whose = field === 'principal' ? 'you have' : 'your address has'
  const message = `${whose} ${limit} ${what}, which is all that ${name} allows: end some`
  return { code: 'busy', message, field, limit, retryAfterMs: RETRY_AFTER_MS }
}
