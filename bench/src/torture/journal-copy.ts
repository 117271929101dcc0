import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The bytes of a journal: its file, its log, and the mark of its end. */
export interface JournalFiles {
  file: Uint8Array
  log: Uint8Array
  mark: Uint8Array | undefined
}

export function readFiles(path: string): JournalFiles {
  const bytes = (of: string) => (existsSync(of) ? readFileSync(of) : new Uint8Array())
  return { file: bytes(path), log: bytes(`${path}-wal`), mark: bytes(`${path}-mark`) }
}

/** A place where journals are laid down again and again. It is memory where the system has some: these are copies. */
export class JournalCopy implements Disposable {
  readonly path: string
  readonly #directory: string

  constructor() {
    const memory = '/dev/shm'
    this.#directory = mkdtempSync(join(existsSync(memory) ? memory : tmpdir(), 'sluice-torture-'))
    this.path = join(this.#directory, 'journal.db')
  }

  /** Puts these files in place of whatever is there. */
  lay({ file, log, mark }: JournalFiles): void {
    for (const suffix of ['-shm', '-lock', '-mark', '-wal']) rmSync(this.path + suffix, { force: true })
    writeFileSync(this.path, file)
    if (log.length > 0) writeFileSync(`${this.path}-wal`, log)
    if (mark) writeFileSync(`${this.path}-mark`, mark)
  }

  [Symbol.dispose](): void {
    rmSync(this.#directory, { recursive: true, force: true })
  }
}
