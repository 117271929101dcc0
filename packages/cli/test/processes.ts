import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const main = join(import.meta.dirname, '..', 'src', 'main.ts')

export interface Ended {
  code: number | null
  out: string
  err: string
}

/** A running `sluice` whose output is kept. */
export class Running {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  out = ''
  err = ''

  constructor(script: string, args: readonly string[], cwd: string, env: Record<string, string> = {}) {
    const clean = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !/^(SLUICE_|VITEST|FORCE_COLOR)/.test(name)),
    )
    this.child = spawn(process.execPath, [script, ...args], {
      cwd,
      detached: true,
      env: { ...clean, NO_COLOR: '1', ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    this.child.stdin?.on('error', () => {})
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.out += text
    })
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.err += text
    })
    this.ended = once(this.child, 'close').then(([code]) => ({ code, out: this.out, err: this.err }))
  }

  /** Resolves once the output matches; rejects when the process ends before. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.out + this.err)
      if (match !== null) return match
      if (this.child.exitCode !== null) throw new Error(`ended without ${pattern}:\n${this.out}${this.err}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  /** What a terminal does at Ctrl-C: the signal goes to the whole process group. */
  signal(name: NodeJS.Signals): void {
    process.kill(-(this.child.pid as number), name)
  }
}

/** A directory of its own, and everything that was started in it. */
export class Sandbox {
  readonly directory = mkdtempSync(join(tmpdir(), 'sluice-cli-'))
  readonly #running: Running[] = []

  start(args: readonly string[], env: Record<string, string> = {}, script = main): Running {
    const running = new Running(script, args, this.directory, env)
    this.#running.push(running)
    return running
  }

  async run(args: readonly string[], options: { env?: Record<string, string>; input?: string } = {}): Promise<Ended> {
    const running = this.start(args, options.env)
    running.child.stdin?.end(options.input ?? '')
    return running.ended
  }

  /** A broker on a free port; resolves to its address. */
  async broker(...args: string[]): Promise<{ url: string; running: Running }> {
    const running = this.start(['broker', '--port', '0', ...args])
    const [, url] = await running.says(/"url":"(ws:[^"]+)".*"msg":"listening"/)
    return { url: url as string, running }
  }

  async end(): Promise<void> {
    for (const { child, ended } of this.#running) {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
      await ended
    }
    rmSync(this.directory, { recursive: true, force: true })
  }
}
