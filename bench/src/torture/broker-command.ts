import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { sleep } from '../wait.ts'

const command = fileURLToPath(new URL('../../../packages/cli/src/main.ts', import.meta.url))

/** How a command ended, and all that it said. */
export interface Ended {
  code: number | null
  signal: NodeJS.Signals | null
  said: string
}

/** A running `sluice broker`: what a user runs, with its exit code and its words. */
export class BrokerCommand implements AsyncDisposable {
  readonly url: string
  readonly pid: number
  readonly ended: Promise<Ended>
  readonly #process: ChildProcess

  private constructor(process: ChildProcess, url: string, ended: Promise<Ended>) {
    this.#process = process
    this.pid = process.pid!
    this.url = url
    this.ended = ended
  }

  /** Resolves once it listens, or to how it ended before. `enter` says how to start a program where the file is. */
  static async start(
    dataFile: string,
    port: number,
    enter: (command: string[]) => string[] = (own) => own,
  ): Promise<BrokerCommand | Ended> {
    const [program, ...args] = enter([
      process.execPath,
      command,
      'broker',
      '--json',
      '--data-file',
      dataFile,
      '--port',
      String(port),
    ])
    const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(SLUICE_|NODE_)/.test(name)))
    const child = spawn(program!, args, { env: clean, stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        said += text
      })
    }
    const ended = once(child, 'close').then(([code, signal]): Ended => ({ code, signal, said }))
    for (;;) {
      const url = /"url":"(ws:[^"]+)".*"msg":"listening"/.exec(said)?.[1]
      if (url !== undefined) return new BrokerCommand(child, url, ended)
      const end = await Promise.race([ended, sleep(5)])
      if (end) return end
    }
  }

  get httpUrl(): string {
    return this.url.replace('ws:', 'http:')
  }

  async kill(): Promise<Ended> {
    this.#process.kill('SIGKILL')
    return this.ended
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
  }
}
