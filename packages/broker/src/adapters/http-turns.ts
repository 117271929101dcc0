import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** Requests that may wait behind the current one. A connection that pipelines more is cut. */
const WAITING_MAX = 16
/** How long a client may take to read a finished answer. */
const WRITE_TIMEOUT_MS = 30_000
/** The limit on unread bytes of finished answers, over all connections. */
const UNREAD_BYTES_MAX = 64 * 1024 ** 2

interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

export interface HttpTurnsOptions {
  writeTimeoutMs?: number
  unreadBytesMax?: number
}

/**
 * Answers the requests of each connection one after the other. The next request starts when the client has read the
 * answer before it. Until then the connection is not read from. A client that does not read an answer in time is cut.
 */
export class HttpTurns {
  readonly #answer: RequestListener
  readonly #refuse: RequestListener
  readonly #writeTimeoutMs: number
  readonly #unreadBytesMax: number
  readonly #turns = new WeakMap<Socket, { isAnswering: boolean; readonly waiting: Exchange[] }>()
  #unreadBytes = 0

  /** `refuse` answers requests while too many answers are unread. */
  constructor(answer: RequestListener, refuse: RequestListener, options: HttpTurnsOptions = {}) {
    this.#answer = answer
    this.#refuse = refuse
    this.#writeTimeoutMs = options.writeTimeoutMs ?? WRITE_TIMEOUT_MS
    this.#unreadBytesMax = options.unreadBytesMax ?? UNREAD_BYTES_MAX
  }

  /** Unread bytes of finished answers. */
  get unreadBytes(): number {
    return this.#unreadBytes
  }

  take(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request
    const turn = this.#turns.get(socket) ?? { isAnswering: false, waiting: [] }
    this.#turns.set(socket, turn)
    if (!turn.isAnswering) {
      turn.isAnswering = true
      this.#serve({ request, response })
    } else if (turn.waiting.length < WAITING_MAX) {
      turn.waiting.push({ request, response })
      socket.pause()
    } else socket.destroy()
  }

  #serve({ request, response }: Exchange): void {
    const { socket } = request
    this.#watchReading(response, socket)
    response.once('close', () => this.#next(socket))
    if (this.#unreadBytes > this.#unreadBytesMax) this.#refuse(request, response)
    else this.#answer(request, response)
  }

  #next(socket: Socket): void {
    const turn = this.#turns.get(socket)
    if (turn === undefined || socket.destroyed) return
    const next = turn.waiting.shift()
    if (next !== undefined) this.#serve(next)
    else if (turn.isAnswering) {
      turn.isAnswering = false
      if (socket.isPaused()) socket.resume()
    }
  }

  /** Counts an answer from its end until the client has read it or its connection is gone, and times that. */
  #watchReading(response: ServerResponse, socket: Socket): void {
    response.once('prefinish', () => {
      const bytes = socket.writableLength
      if (bytes === 0) return
      this.#unreadBytes += bytes
      const timer = setTimeout(() => socket.destroy(), this.#writeTimeoutMs)
      response.once('close', () => {
        clearTimeout(timer)
        this.#unreadBytes -= bytes
      })
    })
  }
}
