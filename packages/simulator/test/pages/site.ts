import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join } from 'node:path'
import chromium from '@sparticuz/chromium'
import axe from 'axe-core'
import { type Browser, type BrowserContextOptions, chromium as browserType, type Page } from 'playwright'
import { build } from 'vite'
import { expect, onTestFinished, vi } from 'vitest'

const root = join(import.meta.dirname, '..', '..')
const TYPES: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' }
/** A loaded machine may take long, and a failure is seen soon enough. */
export const PATIENCE_MS = 60_000

/** The built page in one browser. The tests of one file share it. */
export interface Site {
  origin: string
  browser: Browser
  close(): Promise<void>
}

type Files = ReadonlyMap<string, string | Uint8Array>

let built: Promise<Files> | undefined

/** The simulator as it would be published. Nothing is written. */
async function buildSite(): Promise<Files> {
  // The environment of tests would make it a page for development.
  vi.stubEnv('NODE_ENV', 'production')
  const result = await build({ root, logLevel: 'error', build: { write: false } })
  vi.unstubAllEnvs()
  if (!('output' in result)) throw new Error('one output was expected')
  return new Map(
    result.output.map((file) => [`/somewhere/${file.fileName}`, file.type === 'chunk' ? file.code : file.source]),
  )
}

/** Serves the built simulator below a path, as a folder of some site. Files of tests that share a process build once. */
export async function openSite(): Promise<Site> {
  built ??= buildSite()
  const executablePath = await chromium.executablePath()
  const args = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking']
  const [files, browser] = await Promise.all([built, browserType.launch({ executablePath, args })])
  const server = createServer(({ url = '/' }, response) => {
    const { pathname } = new URL(url, 'http://page')
    const path = pathname.endsWith('/') ? `${pathname}index.html` : pathname
    const file = files.get(path)
    response.writeHead(file === undefined ? 404 : 200, { 'content-type': TYPES[extname(path)] ?? 'text/plain' })
    response.end(file)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}/somewhere/`,
    browser,
    close: async () => {
      await browser.close()
      server.closeAllConnections()
      server.close()
    },
  }
}

/**
 * Opens a place of the simulator, such as `#/compare`. The test fails if the page throws, or asks another origin for
 * anything.
 */
export async function visit({ browser, origin }: Site, hash: string, options?: BrowserContextOptions): Promise<Page> {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    // The machine of the tests may have a language that no browser knows.
    locale: 'en-US',
    ...options,
  })
  const page = await context.newPage()
  page.setDefaultTimeout(PATIENCE_MS)
  const wrong: string[] = []
  page.on('pageerror', ({ message }) => wrong.push(message))
  page.on('request', (request) => {
    if (/^https?:/.test(request.url()) && !request.url().startsWith(origin)) wrong.push(`asked for ${request.url()}`)
  })
  onTestFinished(async () => {
    await context.close()
    expect(wrong).toEqual([])
  })
  await page.goto(`${origin}${hash}`)
  return page
}

/** Whether everything fits on a screen of this width without scrolling sideways. */
export async function fits(page: Page): Promise<boolean> {
  return page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)
}

/** What axe finds that is serious or critical, besides what is in these parts of the page. */
export async function seriousIn(page: Page, ...exclude: readonly string[]): Promise<string[]> {
  await page.evaluate(axe.source)
  return page.evaluate(async (excluded) => {
    const { violations } = await (globalThis as unknown as { axe: typeof axe }).axe.run({ exclude: [...excluded] })
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)
  }, exclude)
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
