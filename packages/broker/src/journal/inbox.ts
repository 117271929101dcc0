import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads'

/** What a `JournalThread` gives to its thread. */
export interface Mailbox {
  port: MessagePort
  /** One number, shared: how many messages were posted to the thread. */
  posted: Int32Array
}

/**
 * What a thread is asked to do, in order. The thread sleeps until something comes: an event of the port would come later
 * by the way through the event loop, which is half of what a hand-over takes.
 */
export class Inbox<Message> {
  readonly #port: MessagePort
  readonly #posted: Int32Array
  #ahead: Message | undefined

  constructor({ port, posted }: Mailbox) {
    this.#port = port
    this.#posted = posted
  }

  /** The next message where it is here already. It stays the next one. */
  peek(): Message | undefined {
    this.#ahead ??= receiveMessageOnPort(this.#port)?.message as Message | undefined
    return this.#ahead
  }

  /** Waits for the next message. */
  next(): Message {
    for (;;) {
      this.wait(Number.POSITIVE_INFINITY)
      const message = this.peek()
      if (message === undefined) continue
      this.#ahead = undefined
      return message
    }
  }

  /** Waits until there is a next message, or something was posted, `waitMs` at most. */
  wait(waitMs: number): void {
    // Read before looking, so that what is posted meanwhile is not slept through.
    const posted = Atomics.load(this.#posted, 0)
    if (this.peek() === undefined) Atomics.wait(this.#posted, 0, posted, waitMs)
  }
}
