import { ITEM_VERSION, type ItemChange, type OutboxItem, type OutboxStore } from '@sluice/client/outbox'
import { type Answer, answerOf } from './answer.ts'
import { requestsOf, requestText, type Sendable } from './submission.ts'

export interface HttpDrainOptions {
  /** The broker: `https://queue.example.com`. */
  url: string
  /** Sent as `Authorization: Bearer`. Without it, nothing is sent about who this is. */
  token?: string
  owner: string
  store: OutboxStore
  /** Items of another version are left to a page, which can upgrade them. */
  inputVersion: number
  fetch: (url: string, init: RequestInit) => Promise<Response>
  /** Ends the drain before its next step. What was not answered stays saved. */
  signal: AbortSignal
}

/**
 * How a drain ended.
 * - `drained`: everything was sent that may be sent from here.
 * - `needsToken`: the broker wants another token. All that is left stays saved.
 * - `later`: the broker cannot be reached or cannot take more now.
 * - `misdirected`: the address or the page's origin is wrong; see the message.
 * - `stopped`: the signal has fired.
 */
export type DrainEnd =
  | { kind: 'drained' | 'needsToken' | 'stopped' }
  | { kind: 'later'; retryAfterMs?: number }
  | { kind: 'misdirected'; message: string }

export interface DrainReport {
  /** The number of items that the broker has accepted now. */
  accepted: number
  /** The number of items that were refused for good. */
  parked: number
  end: DrainEnd
}

/** The number of items that are read from the store at once. */
const PAGE = 250

/** Ends a drain from inside. */
class Ended extends Error {
  readonly end: DrainEnd

  constructor(end: DrainEnd) {
    super(end.kind)
    this.end = end
  }
}

/**
 * Sends what one owner has saved, by the HTTP API. Sending an item again, or at the same time as a tab does, is
 * harmless: the broker gives the same id the same answer. An item changes only after its answer.
 * @throws OutboxError if the store cannot be used
 */
export async function drainByHttp(options: HttpDrainOptions): Promise<DrainReport> {
  const drain = new HttpDrain(options)
  try {
    await drain.run()
    return { ...drain.counts, end: { kind: 'drained' } }
  } catch (error) {
    if (error instanceof Ended) return { ...drain.counts, end: error.end }
    throw error
  }
}

class HttpDrain {
  readonly #options: HttpDrainOptions
  /** Ordering keys whose items have to wait: something before them is parked, or is left to a page. */
  readonly #held = new Set<string>()
  readonly counts = { accepted: 0, parked: 0 }

  constructor(options: HttpDrainOptions) {
    this.#options = options
  }

  async run(): Promise<void> {
    for await (const items of this.#pages('parked')) for (const item of items) this.#hold(item)
    for await (const items of this.#pages('saved')) {
      let waiting: readonly OutboxItem[] = items
      while (waiting.length > 0) waiting = await this.#sendFirst(waiting)
    }
  }

  async *#pages(state: 'parked' | 'saved'): AsyncGenerator<OutboxItem[]> {
    const { store, owner } = this.#options
    for (let after = 0; ; ) {
      const items = await store.list({ owner, states: [state], after, limit: PAGE })
      if (items.length > 0) yield items
      if (items.length < PAGE) return
      after = items.at(-1)!.seq
    }
  }

  /**
   * Sends what may leave now: of each ordering key only the first.
   * @returns the items whose turn comes next
   */
  async #sendFirst(items: readonly OutboxItem[]): Promise<OutboxItem[]> {
    const keys = new Set<string>()
    const next: OutboxItem[] = []
    const first: OutboxItem[] = []
    for (const item of items) {
      const { orderingKey: key } = item
      if (key !== undefined && this.#held.has(key)) continue
      if (!this.#isCurrent(item)) this.#hold(item)
      else if (key !== undefined && keys.has(key)) next.push(item)
      else {
        first.push(item)
        if (key !== undefined) keys.add(key)
      }
    }
    const bodies = await this.#options.store.bodies(first.map(({ id }) => id))
    const sendables = first.flatMap((item, index): Sendable[] => {
      const body = bodies[index]
      // It was removed, or has ended, since it was listed.
      return body === undefined ? [] : [{ item, body }]
    })
    for (const request of requestsOf(sendables)) await this.#send(request)
    return next
  }

  async #send(chunk: readonly Sendable[]): Promise<void> {
    const answer = await this.#ask(chunk)
    switch (answer.kind) {
      case 'verdicts':
        return this.#apply(chunk, answer)
      case 'refused': {
        // One of them is at fault. Halving finds it in a few requests.
        if (chunk.length === 1) return this.#store(chunk[0]!.item, 'parked', { error: answer.error })
        const middle = Math.ceil(chunk.length / 2)
        await this.#send(chunk.slice(0, middle))
        return this.#send(chunk.slice(middle))
      }
      default:
        throw new Ended(answer)
    }
  }

  async #ask(chunk: readonly Sendable[]): Promise<Answer> {
    const { url, token, fetch, signal } = this.#options
    if (signal.aborted) throw new Ended({ kind: 'stopped' })
    const headers: Record<string, string> = { 'content-type': 'application/json' }
    if (token !== undefined) headers.authorization = `Bearer ${token}`
    try {
      const body = requestText(chunk)
      return await answerOf(await fetch(`${url}/v1/tasks`, { method: 'POST', headers, body, signal }))
    } catch {
      return signal.aborted ? Promise.reject(new Ended({ kind: 'stopped' })) : { kind: 'later' }
    }
  }

  async #apply(chunk: readonly Sendable[], answer: Answer & { kind: 'verdicts' }): Promise<void> {
    let isAnyLeft = false
    const changes: ItemChange[] = []
    for (const { item } of chunk) {
      const verdict = answer.verdicts.get(item.id) ?? { kind: 'later' }
      if (verdict.kind === 'accepted') changes.push({ id: item.id, from: ['saved'], to: 'accepted' })
      else if (verdict.kind === 'refused')
        changes.push({ id: item.id, from: ['saved'], to: 'parked', error: verdict.error })
      else isAnyLeft = true
      if (verdict.kind !== 'accepted') this.#hold(item)
    }
    await this.#change(changes)
    if (!isAnyLeft) return
    const { retryAfterMs } = answer
    throw new Ended({ kind: 'later', ...(retryAfterMs === undefined ? {} : { retryAfterMs }) })
  }

  async #store(item: OutboxItem, to: 'parked', change: Pick<ItemChange, 'error'>): Promise<void> {
    this.#hold(item)
    await this.#change([{ id: item.id, from: ['saved'], to, ...change }])
  }

  async #change(changes: readonly ItemChange[]): Promise<void> {
    // A crash that forgets this loses nothing: the broker gives the same answer again.
    const changed = await this.#options.store.change(changes, 'relaxed')
    for (const item of changed) {
      if (item?.state === 'accepted') this.counts.accepted += 1
      else if (item?.state === 'parked') this.counts.parked += 1
    }
  }

  #isCurrent(item: OutboxItem): boolean {
    return item.version === ITEM_VERSION && item.inputVersion === this.#options.inputVersion
  }

  #hold({ orderingKey }: OutboxItem): void {
    if (orderingKey !== undefined) this.#held.add(orderingKey)
  }
}
