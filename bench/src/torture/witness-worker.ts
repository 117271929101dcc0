import { randomUUID } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { createWorker } from '@sluice/worker-node'
import { sleep } from '../wait.ts'

export const witnessQueue = 'witnessed'

/** A body that says what it should be. */
export interface Witnessed {
  key: string
  filler: string
  crc32: number
}

export function witnessed(key: string, fillerLength: number): Witnessed {
  const filler = 'x'.repeat(fillerLength)
  return { key, filler, crc32: crc32(key + filler) }
}

export interface WitnessWorkerSettings {
  url: string
  /** By id, the key of what was submitted under it. */
  keys: ReadonlyMap<string, string>
  /** How long a handler takes. */
  workMs?: () => number
}

/** Handles tasks in this process, and checks each body against itself and against what was submitted under its id. */
export class WitnessWorker implements AsyncDisposable {
  readonly wrong: string[] = []
  readonly handled = new Set<string>()
  readonly #worker

  constructor({ url, keys, workMs = () => 0 }: WitnessWorkerSettings) {
    const handler = async ({ key, filler, crc32: sum }: Witnessed, { id }: { id: string }) => {
      if (keys.get(id) !== key) this.wrong.push(`task ${id} came with body ${key}, where ${keys.get(id)} was submitted`)
      if (crc32(key + filler) !== sum) this.wrong.push(`task ${id} came with a body that does not match its checksum`)
      this.handled.add(id)
      await sleep(workMs())
      return { execution: randomUUID() }
    }
    this.#worker = createWorker({
      url,
      timings: { backoffMsMax: 200 },
      concurrency: 100,
      handlers: { [witnessQueue]: handler },
    })
  }

  start(): void {
    // Rejects where it is let go before it was connected.
    this.#worker.start().catch(() => {})
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.close()
  }
}
