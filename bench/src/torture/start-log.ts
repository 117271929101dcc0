import { closeSync, openSync, readSync, truncateSync } from 'node:fs'

/** One start of a handler. */
export interface Start {
  id: string
  atMs: number
}

export function parseStarts(log: string): Start[] {
  return log
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [atMs, id] = line.split(' ')
      return { id: id!, atMs: Number(atMs) }
    })
}

/** The starts that one worker process has written down, read bit by bit. */
export class StartLog {
  readonly path: string
  readonly #bytesMax: number
  #read = 0

  /** What has been read is thrown away past `bytesMax`, so that a run of any length takes the same room. */
  constructor(path: string, bytesMax = 2 ** 25) {
    this.path = path
    this.#bytesMax = bytesMax
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
    if (this.#read > this.#bytesMax) {
      // The worker appends, and so goes on at the beginning.
      truncateSync(this.path, 0)
      this.#read = 0
    }
    return parseStarts(Buffer.concat(chunks).toString('latin1'))
  }
}
