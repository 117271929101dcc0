import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Scratch } from '../machine.ts'

const source = fileURLToPath(new URL('./sync-delay.c', import.meta.url))

export function syncDelayObstacle(): string | undefined {
  const needed = 'it preloads a few lines of C into the broker, which takes Linux and a C compiler (cc)'
  if (process.platform !== 'linux') return needed
  try {
    execFileSync('cc', ['--version'], { stdio: 'ignore' })
    return undefined
  } catch {
    return needed
  }
}

/** One sync of a file, on the clock of the machine. */
export interface Sync {
  fromMs: number
  untilMs: number
}

/** A disk whose syncs take as long as one says: `fsync` and `fdatasync` of a process that is started with `env`. */
export class SyncDelay {
  /** For the process whose syncs are delayed. */
  readonly env: Readonly<Record<string, string>>
  readonly #delay: string
  readonly #log: string

  constructor(scratch: Scratch) {
    const library = scratch.file('sync-delay.so')
    this.#delay = scratch.file('sync-delay')
    this.#log = scratch.file('syncs.log')
    this.set(0)
    execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl'])
    this.env = { LD_PRELOAD: library, SYNC_DELAY_FILE: this.#delay, SYNC_LOG_FILE: this.#log }
  }

  /** From the next sync on. */
  set(ms: number): void {
    writeFileSync(this.#delay, String(ms))
  }

  /** All that have ended, in the order of their ends. */
  syncs(): Sync[] {
    if (!existsSync(this.#log)) return []
    const lines = readFileSync(this.#log, 'latin1').split('\n').slice(0, -1)
    return lines.map((line) => {
      const [fromMs, untilMs] = line.split(' ').map(Number)
      return { fromMs: fromMs!, untilMs: untilMs! }
    })
  }
}
