import type { DatabaseSync } from 'node:sqlite'
import { checksum } from './checksum.ts'
import { damagedBatch, readingBatch } from './sqlite-error.ts'
import { openDatabase } from './sqlite-place.ts'

/** Reads the bodies of stored batches over a separate connection, even while the writing one waits for the disk. */
export class BatchReader {
  readonly #path: string
  readonly #database: DatabaseSync
  readonly #bodies

  constructor(path: string) {
    this.#path = path
    this.#database = openDatabase(path, { readOnly: true })
    this.#bodies = this.#database.prepare('SELECT bodies_crc32, bodies FROM batches WHERE batch = ?')
  }

  bodies(batch: number): Uint8Array<ArrayBuffer> {
    const row = readingBatch(this.#path, batch, () => this.#bodies.get(batch)) as
      | { bodies_crc32: number; bodies: Uint8Array<ArrayBuffer> }
      | undefined
    if (!row) throw new Error(`batch ${batch} is not stored`)
    if (!(row.bodies instanceof Uint8Array) || checksum(batch, row.bodies) !== row.bodies_crc32)
      throw damagedBatch(this.#path, batch, 'has bodies that do not match their checksum')
    return row.bodies
  }

  close(): void {
    this.#database.close()
  }
}
