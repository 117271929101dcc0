import { type Broker, createBroker } from '@sluice/broker'
import { type Client, createClient, silentLogger, type TaskHandle } from '@sluice/client'
import type { Browser, Page } from 'playwright'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { PageGlobals } from './page/page.ts'
import { launchChromium, type PageServer, servePage } from './page-of-tests.ts'

/** What the page has made global. Only code that the page runs may use it. */
declare const tab: PageGlobals['tab']

let server: PageServer
let browser: Browser
let broker: Broker
let client: Client
const undo: (() => unknown)[] = []

beforeAll(async () => {
  server = await servePage()
  browser = await launchChromium()
})

afterAll(async () => {
  await browser?.close()
  server?.close()
})

beforeEach(async () => {
  broker = await createBroker({
    journal: { kind: 'memory' },
    port: 0,
    allowedOrigins: [`http://insecure.example:${server.port}`],
  })
  client = createClient({ url: broker.url, logger: silentLogger })
  server.policy = [
    "default-src 'none'",
    "script-src 'self'",
    "worker-src 'self'",
    "style-src 'self'",
    'img-src data:',
    `connect-src ${broker.url}`,
  ].join('; ')
})

afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
  await client.close()
  await broker.close()
})

async function open(query = '', host = '127.0.0.1'): Promise<Page> {
  const context = await browser.newContext({ reducedMotion: 'reduce' })
  undo.push(() => context.close())
  const page = await context.newPage()
  await page.goto(`http://${host}:${server.port}/index.html?broker=${encodeURIComponent(broker.url)}&${query}`)
  return page
}

/** Waits until the tab worker of the page is in this state. */
const untilState = (page: Page, state: string) => page.waitForFunction((wanted) => tab.state === wanted, state)

/** A task that the tab has begun. */
async function begun(page: Page, input: number, leaseMs = 30_000): Promise<TaskHandle<unknown>> {
  const task = await client.submit('page.wait', input, { leaseMs })
  const first = task.progress()[Symbol.asyncIterator]().next()
  await page.evaluate(() => tab.start())
  expect((await first).value).toBe('begun')
  return task
}

describe('a page with a Content-Security-Policy', () => {
  test('works with the one that docs/browser-worker.md names', async () => {
    await open()
    const task = await client.submit('page.double', 21)
    expect(await task.result()).toBe(42)
  })

  test('without worker-src the state says that the connection Worker did not load', async () => {
    server.policy = server.policy.replace("worker-src 'self'", "worker-src 'none'")
    const page = await open()
    await untilState(page, 'failed')
    expect(await page.evaluate(() => tab.getSnapshot())).toMatchObject({ failure: { kind: 'not_loaded' } })
    await page.getByText('It cannot work').waitFor()
  })

  test('without connect-src it does not connect, and says so', async () => {
    server.policy = server.policy.replace(/connect-src.*/, "connect-src 'none'")
    const page = await open('impatient')
    await page.getByText('Not connected yet').waitFor()
  })
})

test('[HELLO-4] a tab announces its device, and the labels of its app', async () => {
  const page = await open()
  await untilState(page, 'working')
  const cores = await page.evaluate(() => String(navigator.hardwareConcurrency))
  const { workers } = (await (await fetch(`${broker.httpUrl}/v1/workers`)).json()) as { workers: { labels: object }[] }
  // This Chromium runs without a GPU, although it has the API of WebGPU.
  expect(workers).toMatchObject([
    { labels: { browser: '', cores, memoryGb: expect.stringMatching(/^[\d.]+$/), site: 'tests' } },
  ])
  expect(workers[0]?.labels).not.toHaveProperty('webgpu')
})

test('a hidden page goes on', async () => {
  const page = await open('idle')
  const task = await begun(page, 300, 500)
  const other = await page.context().newPage()
  await other.bringToFront()
  expect(await task.result()).toBe('the tab')
  expect(await task.status()).toMatchObject({ attempts: 1 })
})

test('where there are no Web Locks, it works, and a handler Worker that closes itself is noticed', async () => {
  const page = await open('', 'insecure.example')
  expect(await page.evaluate(() => isSecureContext)).toBe(false)
  const task = await client.submit('page.dies', null, { retry: { kind: 'fixed', delayMs: 1 } })
  expect(await task.result()).toBe('healed')
})
