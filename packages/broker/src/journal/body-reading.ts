import { JournalThread } from './journal-thread.ts'
import type { FromReader, ToReader } from './sqlite-messages.ts'
import { errorOf } from './thread-error.ts'

/** Reads bodies in a thread that starts with the first read. No read waits for a write. */
export class BodyReading {
  readonly #thread: JournalThread<ToReader, FromReader>
  readonly #waiting: { resolve(bodies: Uint8Array): void; reject(error: Error): void }[] = []
  #isClosing = false
  #failure: Error | undefined

  /**
   * @param failed called with the reason why no more reads are answered; pending reads reject with the error that it
   * returns
   */
  constructor(threadFile: URL, path: string, failed: (why: string, cause: unknown) => Error) {
    this.#thread = new JournalThread<ToReader, FromReader>(
      threadFile,
      { path },
      {
        heard: (answer) => this.#heard(answer),
        ended: (why, cause) => {
          if (this.#isClosing && this.#waiting.length === 0) return
          const failure = failed(why, cause)
          this.#failure = failure
          for (const { reject } of this.#waiting.splice(0)) reject(failure)
        },
      },
    )
  }

  read(batch: number): Promise<Uint8Array> {
    if (this.#failure) return Promise.reject(this.#failure)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#thread.ask({ type: 'read', batch })
      this.#thread.holdProcess(true)
    })
  }

  /** Resolves when all reads are answered and the thread has ended. */
  close(): Promise<void> {
    this.#isClosing = true
    this.#thread.ask({ type: 'close' })
    this.#thread.holdProcess(true)
    return this.#thread.end
  }

  #heard(answer: FromReader): void {
    if (answer.type === 'closed') return
    const { resolve, reject } = this.#waiting.shift()!
    if (answer.type === 'bodies') resolve(answer.bodies)
    else reject(errorOf(answer.error))
    if (this.#waiting.length === 0 && !this.#isClosing) this.#thread.holdProcess(false)
  }
}
