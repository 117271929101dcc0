import { stripVTControlCharacters } from 'node:util'
import { expect, test } from 'vitest'
import { pictureOf, screenOf } from '../src/commands/watch.ts'

const WIDTH = 60

/**
 * The little of a terminal that watch asks for, with lines that do not wrap: behind the last column the cursor stays on it (VT100:
 * DECAWM reset), and clearing to the end of a line takes what it stands on.
 */
class Screen {
  readonly rows: string[][] = []
  #row = 0
  #column = 0

  write(text: string): void {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control sequences are what a terminal reads
    for (const [part] of text.matchAll(/\x1b\[(\d*)([A-Za-z])|\r|\n|./gu)) this.#take(part)
  }

  #take(part: string): void {
    this.rows[this.#row] ??= []
    const row = this.rows[this.#row] as string[]
    const last = Math.min(this.#column, WIDTH - 1)
    if (part === '\r') this.#column = 0
    else if (part === '\n') this.#row += 1
    else if (part === '\x1b[H') [this.#row, this.#column] = [0, 0]
    else if (part === '\x1b[2K') row.length = 0
    else if (part === '\x1b[K' || part === '\x1b[0K') row.length = Math.min(row.length, last)
    else if (part === '\x1b[0J' || part === '\x1b[J') this.rows.length = Math.min(this.rows.length, this.#row + 1)
    else if (!part.startsWith('\x1b')) {
      row[last] = part
      this.#column = last + 1
    }
  }

  get lines(): string[] {
    return this.rows.map((row) => Array.from(row, (cell) => cell ?? ' ').join(''))
  }
}

test('a line as wide as the terminal keeps its last character, and nothing of an earlier picture stays', () => {
  const health = { status: 'ready', durability: 'strict', tasks: 1, connections: 1 }
  const queue = { ready: 1, delayed: 2, leased: 3, succeeded: 4, dead: 5, cancelled: 0, workers: 6, drainPerSecond: 7 }
  const picture = (...names: string[]) =>
    pictureOf('ws://127.0.0.1:7331', { health, queues: names.map((name) => ({ ...queue, name })) }, WIDTH)
  const screen = new Screen()
  for (const lines of [picture('q'.repeat(200), 'r', 's'), picture('q'.repeat(200), 'r'), ['x'.repeat(WIDTH)]]) {
    screen.write(screenOf(lines))
    expect(screen.lines).toEqual(lines.map(stripVTControlCharacters))
    expect(Math.max(...screen.lines.map((line) => line.length))).toBe(WIDTH)
  }
})
