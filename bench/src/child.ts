import { type ChildProcess, fork, type Serializable } from 'node:child_process'
import { flushCompileCache } from 'node:module'

/** What a parent sends and a child answers over the channel of `fork`. */
interface Call {
  call: number
  method: string
  argument?: unknown
}
interface Reply {
  reply: number
  value?: unknown
  error?: string
}

/** One process of a measurement: it serves named methods and ends with its parent. */
export interface Child {
  readonly pid: number
  /** Resolves when the process is gone, however that came. */
  readonly ended: Promise<void>
  /** Fails with the child's own stack, or when the child ends first. */
  call<T>(method: string, argument?: unknown): Promise<T>
  /** SIGKILL, and the wait until the process is gone. */
  kill(): Promise<void>
}

/** How a child is started, where that is not as everything else. */
export interface Launch {
  /** Beside those that it inherits. */
  env?: Readonly<Record<string, string>>
  /** For a child that is meant to crash: what it says of that is nobody's concern. */
  isSilent?: boolean
}

const readyCall = 0

/**
 * Starts `module` under the node that runs this code and resolves once its `serve` set-up has finished.
 * The child inherits no flags, so a profile or a test runner of the parent does not change what is measured.
 */
export async function start(
  module: URL,
  settings: unknown,
  execArgv: string[] = [],
  { env = {}, isSilent = false }: Launch = {},
): Promise<Child> {
  const child = fork(module, {
    execArgv,
    env: { ...process.env, NODE_OPTIONS: '', ...env },
    stdio: ['inherit', 'inherit', isSilent ? 'ignore' : 'inherit', 'ipc'],
  })
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  let nextCall = readyCall
  const ended = new Promise<void>((resolve) => {
    child.once('exit', (code, signal) => {
      for (const { reject } of waiting.values())
        reject(new Error(`${module.pathname} ended (${signal ?? `exit code ${code}`})`))
      waiting.clear()
      resolve()
    })
  })
  child.on('message', (message: Reply) => {
    const entry = waiting.get(message.reply)
    waiting.delete(message.reply)
    if (message.error === undefined) entry?.resolve(message.value)
    else entry?.reject(new Error(message.error))
  })
  const call = <T>(method: string, argument?: unknown) =>
    new Promise<T>((resolve, reject) => {
      if (child.exitCode !== null || child.signalCode !== null) {
        reject(new Error(`${module.pathname} has ended`))
        return
      }
      const id = nextCall++
      waiting.set(id, { resolve: resolve as (value: unknown) => void, reject })
      send(child, { call: id, method, argument })
    })
  const kill = async () => {
    child.kill('SIGKILL')
    await ended
  }
  try {
    await call('set up', settings)
  } catch (error) {
    await kill()
    throw error
  }
  return { pid: child.pid!, ended, call, kill }
}

function send(child: ChildProcess, call: Call): void {
  // A send that fails means that the child is gone: its exit rejects the call.
  child.send(call as unknown as Serializable, () => {})
}

type Methods = Record<string, (argument: never) => unknown>

/** The child's side of `start`: `setUp` gets the settings, and its methods answer the calls. */
export function serve<Settings>(setUp: (settings: Settings) => Methods | Promise<Methods>): void {
  let methods: Methods = {}
  process.on('disconnect', () => process.exit(0))
  process.on('message', async ({ call, method, argument }: Call) => {
    const answer = (reply: Reply) => process.send!(reply, () => {})
    try {
      if (call === readyCall) {
        methods = await setUp(argument as Settings)
        // Where modules are kept compiled, Node writes them at the end of a process, and most of these are killed.
        flushCompileCache()
        answer({ reply: call })
      } else {
        answer({ reply: call, value: await methods[method]!(argument as never) })
      }
    } catch (error) {
      answer({ reply: call, error: error instanceof Error ? (error.stack ?? error.message) : String(error) })
    }
  })
}

/** Collects what has to end with a measurement, whether it succeeds or fails. */
export class Processes implements AsyncDisposable {
  readonly #children: Child[] = []

  async start(module: URL, settings: unknown, execArgv?: string[], launch?: Launch): Promise<Child> {
    const child = await start(module, settings, execArgv, launch)
    this.#children.push(child)
    return child
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#children.map((child) => child.kill()))
  }
}
