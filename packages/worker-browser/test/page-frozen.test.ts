import { type Broker, createBroker } from '@sluice/broker'
import { type Client, createClient, createWorker, silentLogger, type TaskHandle } from '@sluice/client'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { type PageServer, servePage } from './page-of-tests.ts'
import { launchRawChromium, type RawChromium, type RawPage } from './raw-chromium.ts'

let server: PageServer
let browser: RawChromium
let broker: Broker
let client: Client
const undo: (() => unknown)[] = []

beforeAll(async () => {
  server = await servePage()
  browser = await launchRawChromium()
})

afterAll(async () => {
  await browser?.close()
  server?.close()
})

beforeEach(async () => {
  // A page that had no moment left to hand back is noticed by its closed connection, and by this.
  broker = await createBroker({ journal: { kind: 'memory' }, port: 0, engine: { graceMs: 2000 } })
  client = createClient({ url: broker.url, logger: silentLogger })
})

afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
  await client.close()
  await broker.close()
})

const address = (query: string) =>
  `http://127.0.0.1:${server.port}/index.html?broker=${encodeURIComponent(broker.url)}&${query}`

async function open(query: string): Promise<RawPage> {
  const page = await browser.open(address(query))
  undo.push(() => page.close())
  return page
}

/** A task that the page has begun. */
async function begun(page: RawPage, input: number, leaseMs?: number): Promise<TaskHandle<unknown>> {
  const task = await client.submit('page.wait', input, leaseMs === undefined ? {} : { leaseMs })
  const first = task.progress()[Symbol.asyncIterator]().next()
  await page.evaluate('tab.start()')
  expect((await first).value).toBe('begun')
  return task
}

/** Another worker, which does the same at once. */
function elsewhere(): void {
  const worker = createWorker({ url: broker.url, handlers: { 'page.wait': () => 'elsewhere' } })
  void worker.start()
  undo.push(() => worker.close())
}

/** Freezes the page as the browser does. @returns the control: how often timers of the page have run */
async function freeze(page: RawPage): Promise<() => Promise<number>> {
  await page.send('Page.setWebLifecycleState', { state: 'frozen' })
  return () => page.evaluate<number>('ticks.length')
}

const resume = (page: RawPage) => page.send('Page.setWebLifecycleState', { state: 'active' })

async function expectWorks(page: RawPage): Promise<void> {
  await page.until(`tab.state === 'working'`)
  const next = await client.submit('page.double', 4)
  expect(await next.result()).toBe(8)
}

test('a page that is frozen hands back what it cannot finish, and works again when it is resumed', async () => {
  const page = await open('idle')
  const task = await begun(page, 600_000)
  const ticks = await freeze(page)
  const before = await ticks()
  elsewhere()
  expect(await task.result()).toBe('elsewhere')
  expect(await ticks()).toBe(before)
  await resume(page)
  await expectWorks(page)
})

test('frozen without a word, it loses its lease: the work runs elsewhere, and its late result is refused by name', async () => {
  const page = await open('idle&untold')
  // The tab is about to finish when it is frozen.
  const task = await begun(page, 1000, 2000)
  const ticks = await freeze(page)
  const before = await ticks()
  elsewhere()
  expect(await task.result()).toBe('elsewhere')
  expect(await ticks()).toBe(before)
  await resume(page)
  const names = ['lease_lost', 'expired', 'session_lost']
  await page.until(`lines.some(({ code, reason }) => ${JSON.stringify(names)}.includes(code ?? reason))`)
  await page.until('tab.stats.lost === 1')
  expect(await task.result()).toBe('elsewhere')
  expect(await task.status()).toMatchObject({ state: 'succeeded', attempts: 2 })
})

test('a page that is left hands its task back, and works again when it comes back from the cache', async () => {
  const page = await open('idle')
  const task = await begun(page, 600_000)
  // The browser of the tests has no back/forward cache, so it is told what a page hears of it.
  await page.evaluate(`dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))`)
  elsewhere()
  expect(await task.result()).toBe('elsewhere')
  expect(await page.evaluate('tab.getSnapshot().pausedBy')).toEqual(['away'])
  // Nothing is left that would keep a page out of the cache.
  await page.until(`navigator.locks.query().then(({ held, pending }) => held.length + pending.length === 0)`)
  await page.evaluate(`dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))`)
  await expectWorks(page)
})

/** Why a page is not restored, where this is due to the browser and not to the page. */
const OF_THE_BROWSER = ['BackForwardCacheDisabledForDelegate', 'BrowsingInstanceNotSwapped']

test('case 39: a page that is left and come back to by history.back() works again, from the cache or anew', async () => {
  const page = await open('idle')
  await page.evaluate(`tab.start()`)
  await page.until(`tab.state === 'working'`)
  await page.evaluate(`addEventListener('pageshow', ({ persisted }) => { globalThis.isRestored = persisted })`)
  const why = page.next<{ notRestoredExplanations: { type: string; reason: string }[] }>('Page.backForwardCacheNotUsed')
  await page.evaluate(`location.assign(location.href.replace('idle', 'idle&other'))`)
  await page.until(`location.search.includes('other') && document.readyState === 'complete'`)
  await page.evaluate(`history.back()`)
  await page.until(`!location.search.includes('other') && document.readyState === 'complete' && globalThis.tab`)
  const isRestored = (await page.evaluate(`globalThis.isRestored`)) === true
  // Headless Chromium has no back/forward cache (153), and says so. No other reason may keep the page out of it.
  if (!isRestored) {
    const reasons = (await why).notRestoredExplanations.map(({ reason }) => reason)
    expect(reasons).toContain('BackForwardCacheDisabledForDelegate')
    expect(reasons.filter((reason) => !OF_THE_BROWSER.includes(reason))).toEqual([])
    await page.evaluate('tab.start()')
  }
  await expectWorks(page)
})
