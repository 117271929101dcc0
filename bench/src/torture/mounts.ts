import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'

/** Programs of a stock Linux, and rights that only root has. */
export function mountObstacle(): string | undefined {
  try {
    execFileSync('unshare', ['--mount', 'true'], { stdio: 'ignore' })
    return undefined
  } catch {
    return 'it mounts file systems in a namespace of its own, which takes Linux and root'
  }
}

/**
 * A mount namespace with a process that holds it. What is mounted there is seen by nobody else, and goes with the namespace:
 * even a run that is killed leaves nothing mounted.
 */
export class Mounts implements AsyncDisposable {
  readonly #holder: ChildProcess
  readonly #ended: Promise<unknown>

  private constructor(holder: ChildProcess) {
    this.#holder = holder
    this.#ended = once(holder, 'exit')
  }

  static async open(): Promise<Mounts> {
    // The holder ends when its standard input does, which is when this process ends in whatever way.
    const holder = spawn('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', 'echo held; exec cat'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    await once(holder.stdout, 'data')
    return new Mounts(holder)
  }

  /** How to start a program that sees these mounts. */
  enter(command: readonly string[]): string[] {
    return ['nsenter', '--target', String(this.#holder.pid), '--mount', ...command]
  }

  /** Runs a shell script among the mounts; its positional parameters are `args`. Throws with what it said where it fails. */
  run(script: string, ...args: string[]): string {
    const [program, ...rest] = this.enter(['sh', '-ec', script, 'sh', ...args])
    return execFileSync(program!, rest, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#holder.stdin!.end()
    await this.#ended
  }
}
