import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'

export const example = join(import.meta.dirname, '..')
const root = join(example, '..', '..')

export interface Running {
  child: ChildProcess
  /** What it has written so far, both streams. */
  output(): string
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
}

/** Starts a script of this repository on the Node that runs the tests. */
export function startNode(script: string, args: string[]): Running {
  const child = spawn(process.execPath, [join(root, script), ...args], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  const keep = (chunk: Buffer) => {
    output += chunk.toString()
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  return {
    child,
    output: () => output,
    exited: once(child, 'exit').then(([code, signal]) => ({ code, signal })),
  }
}

export async function killAtOnce(running: Running): Promise<void> {
  running.child.kill('SIGKILL')
  await running.exited
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  if (address === null || typeof address === 'string') {
    throw new Error('no port')
  }
  return address.port
}

/** Looks again and again until `condition` holds; fails after `timeoutMs` with `what`. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: () => string,
  timeoutMs = 90_000,
): Promise<void> {
  const endMs = performance.now() + timeoutMs
  while (!(await condition())) {
    if (performance.now() > endMs) {
      throw new Error(`not within ${timeoutMs} ms: ${what()}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 30))
  }
}
