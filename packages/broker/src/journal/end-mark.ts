import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs'
import { crc32 } from 'node:zlib'

const BYTES = 12

/**
 * The number of the last acknowledged batch, in a small file beside the journal. A log whose end is missing or
 * unreadable looks like a shorter log; this file tells the two apart. It is never synced and is written after the
 * batch. So after a power loss it may name too small a number, but never too large a one.
 */
export class EndMark {
  readonly path: string
  /** The number at the opening. 0 if there is no mark, or none that can be read. */
  readonly batch: number
  readonly #bytes = Buffer.alloc(BYTES)
  #file: number | undefined

  constructor(path: string) {
    this.path = path
    this.batch = stored(path)
  }

  write(batch: number): void {
    this.#file ??= openSync(this.path, constants.O_WRONLY | constants.O_CREAT, 0o600)
    this.#bytes.writeDoubleLE(batch, 0)
    this.#bytes.writeUInt32LE(crc32(this.#bytes.subarray(0, 8)), 8)
    writeSync(this.#file, this.#bytes, 0, BYTES, 0)
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file)
    this.#file = undefined
  }
}

function stored(path: string): number {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0
    throw error
  }
  if (bytes.length < BYTES || crc32(bytes.subarray(0, 8)) !== bytes.readUInt32LE(8)) return 0
  return bytes.readDoubleLE(0)
}
