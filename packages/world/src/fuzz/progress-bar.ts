const WIDTH = 24
const REDRAW_MS = 100

/** A line on standard error that redraws itself; nothing if that is no terminal. */
export class ProgressBar {
  readonly #total: number
  readonly #isShown = process.stderr.isTTY
  #done = 0
  #note = ''
  #drawnAtMs = 0

  constructor(total: number) {
    this.#total = total
  }

  /** `note` follows the figures. */
  step(note: string): void {
    this.#done += 1
    this.#note = note
    if (!this.#isShown || (performance.now() - this.#drawnAtMs < REDRAW_MS && this.#done < this.#total)) return
    this.#drawnAtMs = performance.now()
    const filled = Math.round((this.#done / this.#total) * WIDTH)
    const line = `${'█'.repeat(filled)}${'░'.repeat(WIDTH - filled)} ${this.#done}/${this.#total}  ${this.#note}`
    process.stderr.write(`\r${line.slice(0, (process.stderr.columns || 80) - 1)}\x1b[K`)
  }

  end(): void {
    if (this.#isShown) process.stderr.write('\r\x1b[K')
  }
}
