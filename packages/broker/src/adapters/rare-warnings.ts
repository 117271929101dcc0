import type { HostLog } from '../core/platform.ts'

const LINES_MAX = 5
const PER_MS = 60_000

interface Said {
  sinceMs: number
  lines: number
  leftOut: number
}

/**
 * Limits warnings that peers can cause at will. Each message is logged at most five times a minute, and the next one
 * tells how many were left out. There are few messages; what differs from line to line is in the fields.
 */
export class RareWarnings {
  readonly #log: HostLog
  readonly #nowMs: () => number
  readonly #said = new Map<string, Said>()

  constructor(log: HostLog, nowMs: () => number = () => performance.now()) {
    this.#log = log
    this.#nowMs = nowMs
  }

  warn(fields: object, message: string): void {
    const nowMs = this.#nowMs()
    let said = this.#said.get(message)
    if (said === undefined || nowMs - said.sinceMs >= PER_MS) {
      said = { sinceMs: nowMs, lines: 0, leftOut: said?.leftOut ?? 0 }
      this.#said.set(message, said)
    }
    if (said.lines === LINES_MAX) {
      said.leftOut += 1
      return
    }
    const leftOut = said.leftOut === 0 ? {} : { leftOut: said.leftOut }
    said.lines += 1
    said.leftOut = 0
    this.#log.warn({ ...fields, ...leftOut }, message)
  }
}
