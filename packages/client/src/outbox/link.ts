import type { ConnectionState, ConnectionTimings } from '@sluice/machines/states'
import { ProducerClient } from '../client.ts'
import { SluiceError } from '../errors.ts'
import { type Logger, messageOf } from '../logger.ts'
import type { Platform } from '../platform.ts'
import type { TokenSource } from '../token-source.ts'

/** The wait before a connection that failed for good is tried again: from, up to, in ms. */
const AGAIN_MS = 1000
const AGAIN_MS_MAX = 60_000

export interface LinkOptions {
  url: string
  token: TokenSource | undefined
  name: string | undefined
  platform: Platform
  timings: Partial<ConnectionTimings> | undefined
  logger: Logger
  onState: (state: ConnectionState) => void
  /** A connection is ready, the first time or again. */
  onReady: () => void
  /** The broker wants another token, or another one was given. */
  onAuth: (auth: 'ok' | 'needed') => void
}

/**
 * The connection of an outbox. It exists while somebody wants it. A client that has failed for good is replaced: at once
 * when a new token is given, and after a wait if it failed for another reason.
 */
export class Link {
  readonly #options: LinkOptions
  #token: TokenSource | undefined
  #client: ProducerClient | undefined
  #isWanted = false
  #lacksAuth = false
  #failures = 0
  #cancelAgain: () => void = () => {}
  /** Resolves when the last connection that was given up is closed. */
  #closed: Promise<void> = Promise.resolve()

  constructor(options: LinkOptions) {
    this.#options = options
    this.#token = options.token
  }

  /** The client, while there is one that may still succeed. */
  get client(): ProducerClient | undefined {
    return this.#client
  }

  get state(): ConnectionState {
    return this.#client?.state ?? 'idle'
  }

  get isReady(): boolean {
    return this.#client?.state === 'ready'
  }

  /** Whether this tab's token can be asked for again. */
  get renewsToken(): boolean {
    return typeof this.#token === 'function'
  }

  /** Resolves when no connection is open any more. Only once none is wanted. */
  get closed(): Promise<void> {
    return this.#closed
  }

  set isWanted(isWanted: boolean) {
    if (this.#isWanted === isWanted) return
    this.#isWanted = isWanted
    if (isWanted) this.#open()
    else this.#close()
  }

  authenticate(token: TokenSource | undefined): void {
    if (token !== undefined) this.#token = token
    if (!this.#lacksAuth) return
    this.#lacksAuth = false
    this.#options.onAuth('ok')
    this.#open()
  }

  wake(): void {
    if (this.#client !== undefined) this.#client.wake()
    else if (!this.#lacksAuth) this.#open()
  }

  #open(): void {
    this.#cancelAgain()
    if (!this.#isWanted || this.#client !== undefined || this.#lacksAuth) return
    const { url, name, platform, timings, logger } = this.#options
    let client: ProducerClient
    try {
      client = new ProducerClient({
        url,
        platform,
        logger,
        ...(this.#token === undefined ? {} : { token: this.#token }),
        ...(name === undefined ? {} : { name }),
        ...(timings === undefined ? {} : { timings }),
      })
    } catch (error) {
      logger.error({ err: error }, `the outbox cannot connect: ${messageOf(error)}`)
      this.#openLater()
      return
    }
    this.#client = client
    client.onStateChange((state) => {
      if (this.#client === client) this.#changed(client, state)
    })
  }

  #changed(client: ProducerClient, state: ConnectionState): void {
    if (state === 'failed') this.#failed(client.failure)
    this.#options.onState(state)
    if (state !== 'ready') return
    this.#failures = 0
    this.#options.onReady()
  }

  #failed(failure: Error | undefined): void {
    this.#client = undefined
    if (failure instanceof SluiceError && (failure.code === 'unauthorized' || failure.code === 'token_expired')) {
      this.#lacksAuth = true
      this.#options.onAuth('needed')
    } else this.#openLater()
  }

  #openLater(): void {
    const delayMs = Math.min(AGAIN_MS_MAX, AGAIN_MS * 2 ** this.#failures)
    this.#failures += 1
    this.#cancelAgain = this.#options.platform.setTimer(() => this.#open(), delayMs)
  }

  #close(): void {
    this.#cancelAgain()
    const client = this.#client
    this.#client = undefined
    // The broker forgets the session. What it has accepted goes on.
    if (client === undefined) return
    this.#closed = Promise.all([this.#closed, client.close({ drainMs: 0 })]).then(() => {})
    this.#options.onState('idle')
  }
}
