import { RawSession } from '../processes/raw-session.ts'

const everyMs = 20

/** A session that does nothing but ask the broker whether it listens, and times the answers. */
export class Pinging implements Disposable {
  /** Why it pings no more, where the broker has closed it. */
  readonly closed: string[] = []
  readonly #session: RawSession
  readonly #sentMs = new Map<number, number>()
  readonly #timer: NodeJS.Timeout
  #roundTripsMs: number[] = []
  #ref = 0

  private constructor(session: RawSession) {
    this.#session = session
    session.onClosed = (code) => this.closed.push(`the pinging session was closed with ${code}`)
    session.onMessages = (messages) => {
      for (const message of messages) {
        if (message.type !== 'pong') continue
        const sentMs = this.#sentMs.get(message.ref)
        // Undefined where it was taken while it was under way.
        if (sentMs !== undefined) this.#roundTripsMs.push(performance.now() - sentMs)
        this.#sentMs.delete(message.ref)
      }
    }
    this.#timer = setInterval(() => {
      if (this.closed.length > 0) return
      this.#sentMs.set(++this.#ref, performance.now())
      session.send([{ type: 'ping', ref: this.#ref }])
    }, everyMs)
  }

  static async start(url: string): Promise<Pinging> {
    return new Pinging(await RawSession.open(url, ['producer']))
  }

  /** The round trips since the last call; those under way count as long as they have lasted. */
  take(): number[] {
    const nowMs = performance.now()
    const taken = [...this.#roundTripsMs, ...[...this.#sentMs.values()].map((sentMs) => nowMs - sentMs)]
    this.#roundTripsMs = []
    this.#sentMs.clear()
    return taken
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
    this.#session.close()
  }
}
