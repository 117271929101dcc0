import { mkdirSync, mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import type { Configuration } from './bench.ts'

/** Beside the checkout and not in the temporary directory: that one is often memory, where a sync costs nothing. */
const scratchRoot = join(import.meta.dirname, '..', '..', '.sluice')

const fileSystems: Readonly<Record<number, string>> = {
  61267: 'ext4',
  16914836: 'tmpfs',
  1481003842: 'xfs',
  2435016766: 'btrfs',
  2035054128: 'overlayfs',
}

/** A directory of its own for one measurement's journals; gone when it is disposed of. */
export class Scratch implements Disposable {
  readonly path: string

  constructor() {
    mkdirSync(scratchRoot, { recursive: true })
    this.path = mkdtempSync(join(scratchRoot, 'bench-'))
  }

  file(name: string): string {
    return join(this.path, name)
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}

export function machine(): Configuration {
  const processors = cpus()
  return {
    cores: processors.length,
    processor: processors[0]?.model.trim() ?? 'unknown',
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    'journal file system': journalFileSystem(),
  }
}

function journalFileSystem(): string {
  mkdirSync(scratchRoot, { recursive: true })
  const { type } = statfsSync(scratchRoot)
  return fileSystems[type] ?? `type 0x${type.toString(16)}`
}
