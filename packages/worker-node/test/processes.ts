import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..', '..', '..')

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

/** Starts a broker that keeps its tasks in memory, and waits until it is ready. */
export async function startBroker(flags: string[] = []): Promise<Running & { url: string; httpUrl: string }> {
  const port = await freePort()
  const running = startNode('packages/cli/src/main.ts', [
    'broker',
    ...['--port', String(port), '--durability', 'memory', '--log-level', 'warn', '--heartbeat-ms', '250'],
    ...flags,
  ])
  const httpUrl = `http://127.0.0.1:${port}`
  await until(async () => {
    if (running.child.exitCode !== null) {
      throw new Error(`the broker ended: ${running.output()}`)
    }
    const answer = await fetch(`${httpUrl}/readyz`).catch(() => null)
    return answer?.status === 200
  }, 'the broker is ready')
  return { ...running, url: `ws://127.0.0.1:${port}`, httpUrl }
}

async function freePort(): Promise<number> {
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
  what: string,
  timeoutMs = 20_000,
): Promise<void> {
  const endMs = performance.now() + timeoutMs
  while (!(await condition())) {
    if (performance.now() > endMs) {
      throw new Error(`not within ${timeoutMs} ms: ${what}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
