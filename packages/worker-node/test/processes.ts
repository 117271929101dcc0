import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { vi } from 'vitest'

const root = join(import.meta.dirname, '..', '..', '..')

/** How long to look again and again until something is so. */
export const patience = { timeout: 20_000, interval: 50 }

/** A script of this repository on the Node that runs the tests. */
export class Running {
  readonly child: ChildProcess
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  /** What it has written so far, both streams. */
  output = ''

  constructor(script: string, args: readonly string[]) {
    const child = spawn(process.execPath, [join(root, script), ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        this.output += chunk
      })
    }
    this.child = child
    this.exited = once(child, 'exit').then(([code, signal]) => ({ code, signal }))
  }
}

/** Starts a broker that keeps its tasks in memory, and waits until it listens. */
export async function startBroker(port = 0): Promise<Running & { url: string }> {
  const flags = ['--port', `${port}`, '--durability', 'memory', '--heartbeat-ms', '250']
  const broker = new Running('packages/cli/src/main.ts', ['broker', ...flags])
  const url = await vi.waitUntil(() => {
    if (broker.child.exitCode !== null) throw new Error(`the broker ended: ${broker.output}`)
    return /"url":"([^"]+)"/.exec(broker.output)?.[1]
  }, patience)
  return Object.assign(broker, { url })
}
