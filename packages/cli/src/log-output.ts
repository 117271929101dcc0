import { writeSync } from 'node:fs'
import type { DestinationStream } from 'pino'

const STANDARD_OUTPUT = 1
/** How long to wait for a slow reader at a time, in ms. */
const BEHIND_MS = 20

/**
 * Writes log lines to standard output, each when it arrives. A line that the system does not accept (the disk is full,
 * or nobody reads any more) is lost, and the work continues. The next accepted line tells how many were lost.
 */
export class LogOutput implements DestinationStream {
  readonly #write: (bytes: Uint8Array) => number
  #lost = 0
  #why = ''

  /** @param write writes some of the bytes and returns how many; throws the system's error */
  constructor(write = (bytes: Uint8Array) => writeSync(STANDARD_OUTPUT, bytes)) {
    this.#write = write
  }

  write(line: string): void {
    try {
      if (this.#lost > 0) this.#writeAll(`${this.#note()}\n`)
      this.#lost = 0
      this.#writeAll(line)
    } catch (error) {
      this.#lost += 1
      this.#why = (error as Error).message
    }
  }

  /** Starts a new line, because the last one may have been cut off. */
  #note(): string {
    const msg = `${this.#lost} log lines were lost: ${this.#why}`
    return `\n${JSON.stringify({ level: 40, time: Date.now(), pid: process.pid, lost: this.#lost, msg })}`
  }

  #writeAll(text: string): void {
    for (let rest = Buffer.from(text); rest.length > 0; ) {
      try {
        rest = rest.subarray(this.#write(rest))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BEHIND_MS)
      }
    }
  }
}
