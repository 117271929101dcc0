import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

export interface RunOptions {
  cwd: string
  env?: NodeJS.ProcessEnv
}

/**
 * Runs a program to its end.
 * @returns what it wrote on standard output
 * @throws Error with all that it wrote, where it does not end with 0
 */
export async function run(command: string, args: readonly string[], options: RunOptions): Promise<string> {
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  let all = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
    all += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    all += text
  })
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  if (code !== 0) throw new Error(`${[command, ...args].join(' ')} ended with ${code ?? signal}:\n${all}`)
  return output
}

/** A program that goes on until `stop`. */
export class Service {
  readonly #child: ChildProcess
  #all = ''

  constructor(command: string, args: readonly string[], options: RunOptions) {
    this.#child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  }

  /**
   * Waits for a line of its standard output that the pattern finds.
   * @throws Error with all that it wrote, where it ends before
   */
  async line(pattern: RegExp): Promise<RegExpExecArray> {
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#all += text
    })
    for await (const line of createInterface(this.#child.stdout!)) {
      this.#all += `${line}\n`
      const found = pattern.exec(line)
      if (found) {
        this.#child.stdout!.resume()
        return found
      }
    }
    throw new Error(`it ended without a line like ${pattern}:\n${this.#all}`)
  }

  /** Asks it to leave, and waits for that. @returns its exit code */
  async stop(): Promise<number | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill('SIGTERM')
      await once(this.#child, 'exit')
    }
    return this.#child.exitCode
  }
}
