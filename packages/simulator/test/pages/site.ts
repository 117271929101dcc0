import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import chromium from '@sparticuz/chromium'
import { type Browser, type BrowserContextOptions, chromium as browserType, type Page } from 'playwright'
import { build } from 'vite'
import { vi } from 'vitest'

const TYPES: Readonly<Record<string, string>> = { html: 'text/html', js: 'text/javascript', css: 'text/css' }

/** A folder somewhere on a site: the page works from any path. */
const FOLDER = '/some/where/'

/** The built simulator on a server of its own, and a Chromium. */
export class Site implements AsyncDisposable {
  readonly #browser: Browser
  readonly #server: Server
  /** What went wrong in any page: uncaught errors, and what was logged as an error. */
  readonly errors: string[] = []

  private constructor(browser: Browser, server: Server) {
    this.#browser = browser
    this.#server = server
  }

  static async open(): Promise<Site> {
    const args = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking']
    const executablePath = await chromium.executablePath()
    const [browser, files] = await Promise.all([browserType.launch({ executablePath, args }), builtFiles()])
    const server = createServer(({ url = '/' }, response) => {
      const { pathname } = new URL(url, 'http://page')
      const name = pathname === FOLDER ? 'index.html' : pathname.slice(FOLDER.length)
      const file = pathname.startsWith(FOLDER) ? files.get(name) : undefined
      if (file === undefined) response.writeHead(404).end()
      else response.writeHead(200, { 'content-type': TYPES[name.split('.').at(-1) ?? ''] ?? 'text/plain' }).end(file)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return new Site(browser, server)
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}${FOLDER}`
  }

  /** @param hash where in the simulator, such as `#/lessons` */
  async page(hash: string, options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.#browser.newContext({
      viewport: { width: 1280, height: 900 },
      // The machine of the tests may have none that a browser knows.
      locale: 'en-US',
      ...options,
    })
    const page = await context.newPage()
    page.on('pageerror', ({ message }) => this.errors.push(message))
    page.on('console', (message) => {
      if (message.type() === 'error') this.errors.push(message.text())
    })
    await page.goto(`${this.url}${hash}`)
    return page
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

/** The simulator as it would be published, by path. Nothing is written. */
async function builtFiles(): Promise<ReadonlyMap<string, string | Uint8Array>> {
  // The environment of tests would make it a page for development.
  vi.stubEnv('NODE_ENV', 'production')
  const built = await build({ root: join(import.meta.dirname, '..', '..'), logLevel: 'error', build: { write: false } })
  vi.unstubAllEnvs()
  if (!('output' in built)) throw new Error('one output was expected')
  return new Map(
    built.output.map((file) => [file.fileName, file.type === 'chunk' ? file.code : (file.source as string)]),
  )
}

/** Presses Tab until this has the focus. */
export async function tabTo(page: Page, name: string | RegExp): Promise<void> {
  for (let pressed = 0; pressed < 200; pressed += 1) {
    await page.keyboard.press('Tab')
    const words = await page.evaluate(() => {
      const focused = document.activeElement
      return focused?.getAttribute('aria-label') ?? focused?.textContent?.trim() ?? ''
    })
    if (typeof name === 'string' ? words === name : name.test(words)) return
  }
  throw new Error(`the keyboard does not reach ${name}`)
}
