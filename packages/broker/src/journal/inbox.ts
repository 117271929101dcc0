import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads'

/** What a `JournalThread` passes to its thread. */
export interface Mailbox {
  port: MessagePort
  /** One shared number: how many messages were posted to the thread. */
  posted: Int32Array
}

/**
 * The requests to a thread, in order. The thread sleeps until a message arrives. An event of the port would come later,
 * because the event loop takes half of the time of a hand-over.
 */
export class Inbox<Message> {
  readonly #port: MessagePort
  readonly #posted: Int32Array
  #ahead: Message | undefined

  constructor({ port, posted }: Mailbox) {
    this.#port = port
    this.#posted = posted
  }

  /** The next message if it has arrived. It stays the next one. */
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

  /** Waits until a message arrives or is posted, at most `waitMs`. */
  wait(waitMs: number): void {
    // Read the counter before checking, so that a message posted meanwhile ends the wait.
    const posted = Atomics.load(this.#posted, 0)
    if (this.peek() === undefined) Atomics.wait(this.#posted, 0, posted, waitMs)
  }
}
