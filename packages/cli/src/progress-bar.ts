import { styleText } from 'node:util'
import { cutTo, printable } from './cells.ts'
import { durationText } from './duration.ts'
import { terminalWidth } from './terminal.ts'

export interface Tally {
  submitted: number
  succeeded: number
  dead: number
  /** Whether `submitted` may still grow. */
  reading: boolean
  /** The latest progress of unfinished tasks, by their ids. */
  progress: Map<string, unknown>
  /** Whether the broker is away. */
  away: boolean
}

const BAR_WIDTH = 24
const REDRAW_MS = 100

/** Progress that is a share of the whole. Other values cannot be added up. */
function isShare(progress: unknown): progress is number {
  return typeof progress === 'number' && progress >= 0 && progress <= 1
}

/**
 * The line without colours: a bar and a percentage, which include the shares of running tasks, then counts and time.
 */
export function progressText(tally: Tally, elapsedMs: number): string {
  const { submitted, succeeded, dead, reading, progress, away } = tally
  const ended = succeeded + dead
  let done = ended
  for (const value of progress.values()) if (isShare(value)) done += value
  const share = done / Math.max(1, submitted)
  const filled = Math.floor(share * BAR_WIDTH)
  const percent = `${Math.floor(share * 100)}%`.padStart(4)
  const bar = '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled)
  const [only] = submitted === 1 ? progress.values() : []
  return [
    `${bar} ${percent}  ${ended}/${submitted}${reading ? '+' : ''}`,
    ...(dead > 0 ? [`${dead} dead`] : []),
    durationText(elapsedMs),
    ...(away ? ['waiting for the broker'] : []),
    ...(only === undefined || isShare(only) ? [] : [printable(JSON.stringify(only))]),
  ].join('  ')
}

/** A line on standard error that redraws itself. It writes nothing if standard error is no terminal. */
export class ProgressBar {
  readonly tally: Tally = {
    submitted: 0,
    succeeded: 0,
    dead: 0,
    reading: true,
    progress: new Map(),
    away: false,
  }
  readonly #startMs = performance.now()
  readonly #timer: NodeJS.Timeout | undefined

  constructor() {
    if (process.stderr.isTTY) this.#timer = setInterval(() => this.#draw(), REDRAW_MS)
  }

  /** Writes above the bar. */
  above(write: () => void): void {
    this.#clear()
    write()
  }

  end(): void {
    clearInterval(this.#timer)
    this.#clear()
  }

  #clear(): void {
    if (this.#timer !== undefined) process.stderr.write('\r\x1b[K')
  }

  #draw(): void {
    const text = cutTo(progressText(this.tally, performance.now() - this.#startMs), terminalWidth(process.stderr) - 1)
    const painted = styleText(this.tally.dead > 0 ? 'yellow' : 'cyan', text, { stream: process.stderr })
    process.stderr.write(`\r${painted}\x1b[K`)
  }
}
