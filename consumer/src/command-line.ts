import { delimiter, join } from 'node:path'
import { run, Service } from './run.ts'

/** The packed command `sluice`, started by its name as a shell finds it, on the Node of a directory of programs. */
export class CommandLine {
  readonly #cwd: string
  readonly #env: NodeJS.ProcessEnv
  readonly #services: Service[] = []

  constructor(project: string, nodeBins: string) {
    this.#cwd = project
    const path = [join(project, 'node_modules', '.bin'), nodeBins, process.env.PATH].join(delimiter)
    this.#env = { ...process.env, PATH: path }
  }

  /** Runs it to its end. */
  run(...args: string[]): Promise<string> {
    return run('sluice', args, { cwd: this.#cwd, env: this.#env })
  }

  /** Starts what goes on until `stopAll`. */
  start(...args: string[]): Service {
    const service = new Service('sluice', args, { cwd: this.#cwd, env: this.#env })
    this.#services.push(service)
    return service
  }

  /** Starts a broker on a free port. @returns its address */
  async broker(file: string): Promise<string> {
    const broker = this.start('broker', '--port', '0', '--data-file', file, '--json')
    const [, url = ''] = await broker.line(/"url":"(ws:[^"]+)"/)
    return url
  }

  /** What was started last leaves first. @returns the exit codes */
  async stopAll(): Promise<(number | null)[]> {
    const codes: (number | null)[] = []
    for (const service of this.#services.splice(0).reverse()) codes.push(await service.stop())
    return codes
  }
}
