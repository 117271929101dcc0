import { styleText } from 'node:util'
import { durationText } from './duration.ts'
import { cutTo, printable } from './table.ts'
import { terminalWidth } from './terminal.ts'

export interface Tally {
  submitted: number
  succeeded: number
  dead: number
  /** Whether `submitted` may still grow. */
  reading: boolean
  /** What the only task says of itself. */
  progress?: unknown
}

const BAR_WIDTH = 24
const REDRAW_MS = 100

/** The line without colours: a bar, counts, time. */
export function progressText({ submitted, succeeded, dead, reading, progress }: Tally, elapsedMs: number): string {
  const ended = succeeded + dead
  const share = typeof progress === 'number' && progress >= 0 && progress <= 1 && ended === 0 ? progress : undefined
  const filled = Math.round((share ?? ended / Math.max(1, submitted)) * BAR_WIDTH)
  const bar = '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled)
  const said = progress === undefined || share !== undefined ? '' : `  ${printable(JSON.stringify(progress))}`
  return `${bar} ${ended}/${submitted}${reading ? '+' : ''}${dead > 0 ? `  ${dead} dead` : ''}  ${durationText(elapsedMs)}${said}`
}

/** A line on standard error that redraws itself; nothing at all where that is no terminal. */
export class ProgressBar {
  readonly tally: Tally = { submitted: 0, succeeded: 0, dead: 0, reading: true }
  readonly #startMs = performance.now()
  readonly #timer: NodeJS.Timeout | undefined

  constructor() {
    if (process.stderr.isTTY) this.#timer = setInterval(() => this.#draw(), REDRAW_MS)
  }

  /** Writes something above the bar. */
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
