import { closeSync, openSync, readSync } from 'node:fs'
import { parseStarts, type Start } from './verdict.ts'

/** The starts that one worker process has written down, read bit by bit. */
export class StartLog {
  readonly path: string
  #read = 0

  constructor(path: string) {
    this.path = path
  }

  /** The starts since the last call. */
  next(): Start[] {
    const chunks: Buffer[] = []
    const file = openSync(this.path, 'r')
    try {
      for (;;) {
        const chunk = Buffer.alloc(1 << 16)
        const bytes = readSync(file, chunk, 0, chunk.length, this.#read)
        if (bytes === 0) break
        this.#read += bytes
        chunks.push(chunk.subarray(0, bytes))
      }
    } finally {
      closeSync(file)
    }
    return parseStarts(Buffer.concat(chunks).toString('latin1'))
  }
}
