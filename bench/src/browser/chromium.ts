import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import packaged from '@sparticuz/chromium'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright'

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--remote-debugging-port=0',
]
const START_MS_MAX = 30_000

/** A browser of its own on a profile that outlives it. */
export class Chromium {
  readonly #child: ChildProcess
  readonly #browser: Browser

  private constructor(child: ChildProcess, browser: Browser) {
    this.#child = child
    this.#browser = browser
  }

  /** @param wrapper a program that starts the browser, with its arguments, such as `strace` */
  static async start(
    profile: string,
    flags: readonly string[] = [],
    wrapper: readonly string[] = [],
  ): Promise<Chromium> {
    const command = [...wrapper, await packaged.executablePath(), ...FLAGS, `--user-data-dir=${profile}`, ...flags]
    // A process group of its own, so that one signal ends all of its processes at the same moment.
    const child = spawn(command[0]!, command.slice(1), { detached: true, stdio: ['ignore', 'ignore', 'pipe'] })
    const address = await debuggerOf(child)
    // By default Playwright emulates focus, and then no page can be hidden or frozen.
    return new Chromium(child, await chromium.connectOverCDP(address, { noDefaults: true }))
  }

  get context(): BrowserContext {
    return this.#browser.contexts()[0]!
  }

  async open(url: string): Promise<Page> {
    const page = await this.context.newPage()
    await page.goto(url)
    return page
  }

  /** Stops its renderers, which run the pages and their Workers. @returns a function that lets them go on */
  async stopRenderers(): Promise<() => void> {
    const session = await this.#browser.newBrowserCDPSession()
    const { processInfo } = await session.send('SystemInfo.getProcessInfo')
    await session.detach()
    const renderers = processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => id)
    for (const id of renderers) process.kill(id, 'SIGSTOP')
    return () => {
      for (const id of renderers) process.kill(id, 'SIGCONT')
    }
  }

  /** SIGKILL to all of its processes: nothing of it runs after this moment. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, 'exit')
    process.kill(-this.#child.pid!, 'SIGKILL')
    await ended
    await this.#browser.close().catch(() => {})
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
  }
}

function debuggerOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    const timer = setTimeout(() => reject(new Error(`the browser does not start: ${text}`)), START_MS_MAX)
    child.stderr!.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      const found = /DevTools listening on (\S+)/.exec(text)
      if (found === null) return
      clearTimeout(timer)
      resolve(found[1]!)
    })
    child.once('exit', (code) => reject(new Error(`the browser ended with ${code}: ${text}`)))
  })
}
