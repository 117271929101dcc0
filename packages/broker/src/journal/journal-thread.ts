import { MessageChannel, type MessagePort, receiveMessageOnPort, type Transferable, Worker } from 'node:worker_threads'
import type { Mailbox } from './inbox.ts'

interface ThreadHooks<Answer> {
  heard(answer: Answer): void
  /** The thread is gone, and all its answers have been handled. `error` is what ended it. */
  ended(why: string, error: unknown): void
}

/** The starter's side of a thread that handles requests. The thread alone does not keep the process alive. */
export class JournalThread<Request, Answer> {
  /** Resolves when the thread has ended. */
  readonly end: Promise<void>
  readonly #worker: Worker
  readonly #port: MessagePort
  readonly #posted = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  #isHeld = true

  constructor(file: URL, data: object, { heard, ended }: ThreadHooks<Answer>) {
    const { port1, port2 } = new MessageChannel()
    this.#port = port1
    const mailbox: Mailbox = { port: port2, posted: this.#posted }
    this.#worker = new Worker(file, {
      // Other options are meant for the program that was started with them, and not all of them suit a thread.
      execArgv: process.execArgv.filter((option) => /^--(no-warnings|disable-warning)/.test(option)),
      workerData: { ...data, ...mailbox },
      transferList: [port2],
    })
    port1.on('message', heard)
    port1.unref()
    this.holdProcess(false)
    let cause: unknown
    this.#worker.on('error', (error: unknown) => {
      cause = error
    })
    this.end = new Promise((resolve) => {
      this.#worker.on('exit', (code) => {
        // The end takes a different path than answers do, and may overtake the last of them.
        for (let left = receiveMessageOnPort(port1); left; left = receiveMessageOnPort(port1))
          heard(left.message as Answer)
        port1.close()
        ended(`its thread ended (${cause instanceof Error ? cause.message : `exit code ${code}`})`, cause)
        resolve()
      })
    })
  }

  ask(request: Request, transfer: Transferable[] = []): void {
    this.#port.postMessage(request, transfer)
    Atomics.add(this.#posted, 0, 1)
    Atomics.notify(this.#posted, 0)
  }

  /** Whether this thread's work keeps the process alive. */
  holdProcess(isHeld: boolean): void {
    if (isHeld === this.#isHeld) return
    this.#isHeld = isHeld
    if (isHeld) this.#worker.ref()
    else this.#worker.unref()
  }
}
