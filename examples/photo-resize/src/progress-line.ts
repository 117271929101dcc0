import type { WriteStream } from 'node:tty'

export interface ProgressLine {
  /** A line that stays. */
  say(text: string): void
  connection(state: string): void
  /** How many sizes of a photo exist so far. */
  progress(name: string, done: number): void
  finished(name: string, sizesDone: number): void
  end(): void
}

const BAR = 28
const WIDTH = 80

/** One line that is drawn over and over on a terminal; elsewhere, such as in a log, one line for each photo. */
export function progressLine(
  out: Pick<WriteStream, 'write' | 'isTTY'> & { columns?: number },
  photos: number,
  sizes: number,
): ProgressLine {
  const done = new Map<string, number>()
  let finished = 0
  let state = ''
  let ended = false

  function draw(): void {
    if (!out.isTTY || ended) {
      return
    }
    const pictures = [...done.values()].reduce((sum, count) => sum + count, 0)
    const filled = Math.round((finished / photos) * BAR)
    const bar = '█'.repeat(filled) + '░'.repeat(BAR - filled)
    const note = state === 'ready' ? '' : ` · ${state}`
    const percent = Math.floor((pictures / (photos * sizes)) * 100)
    const text = `${percent}% · ${finished}/${photos} photos · ${pictures}/${photos * sizes} sizes${note}`
    const width = (out.columns || WIDTH) - 1
    // A line that breaks could not be drawn over.
    out.write(`\r\u001b[K${(text.length + BAR < width ? `${bar} ${text}` : text).slice(0, width)}`)
  }

  return {
    say(text) {
      out.write(out.isTTY ? `\r\u001b[K${text}\n` : `${text}\n`)
    },
    connection(newState) {
      state = newState
      draw()
    },
    progress(name, count) {
      done.set(name, count)
      draw()
    },
    finished(name, sizesDone) {
      finished += 1
      done.set(name, sizesDone)
      if (!out.isTTY) {
        out.write(
          `${String(finished).padStart(String(photos).length)}/${photos} ${name}: ${sizesDone === sizes ? 'resized' : 'failed'}\n`,
        )
      }
      draw()
    },
    end() {
      ended = true
      if (out.isTTY) {
        out.write('\n')
      }
    },
  }
}
