import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Broker, createBroker } from '@sluice/broker'
import { createClient, silentLogger } from '@sluice/client'
import type { Browser, Page } from 'playwright'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { launchChromium, type PageServer, servePage } from './page-of-tests.ts'

let server: PageServer
let browser: Browser
let broker: Broker

/** Where pictures of the element go for people to look at. Without it none are taken. */
const pictures = process.env.SLUICE_PICTURES

beforeAll(async () => {
  server = await servePage()
  browser = await launchChromium()
  broker = await createBroker({ journal: { kind: 'memory' }, port: 0 })
})

afterAll(async () => {
  await browser?.close()
  server?.close()
  await broker?.close()
})

async function open(query: string, colorScheme: 'light' | 'dark' = 'light', width = 360): Promise<Page> {
  const context = await browser.newContext({ colorScheme, viewport: { width, height: 480 } })
  const page = await context.newPage()
  await page.goto(`http://127.0.0.1:${server.port}/index.html?broker=${encodeURIComponent(broker.url)}&${query}`)
  return page
}

async function picture(page: Page, name: string): Promise<void> {
  if (pictures === undefined) return
  mkdirSync(pictures, { recursive: true })
  await page.screenshot({ path: join(pictures, `${name}.png`) })
}

const button = (page: Page, name: string) => page.getByRole('button', { name })

const isFocused = (page: Page, name: string) => button(page, name).evaluate((node) => node.matches(':focus'))

test('by keyboard alone a person agrees, pauses, goes on, changes the share, stops and takes the consent back', async () => {
  const page = await open('ask')
  const state = page.locator('[aria-live=polite]')
  await picture(page, 'asking')
  await button(page, 'Yes, it may').waitFor()
  // A page that has just been opened may miss a key.
  const reached = async () => {
    await page.keyboard.press('Tab')
    return isFocused(page, 'Yes, it may')
  }
  await expect.poll(reached, { timeout: 20_000 }).toBe(true)
  await page.keyboard.press('Enter')
  await state.getByText('Ready, waiting for work').waitFor()
  // The button that was pressed is gone, and its place has the focus.
  expect(await isFocused(page, 'Pause')).toBe(true)
  await page.keyboard.press('Enter')
  await state.getByText('Paused: you paused it').waitFor()
  await picture(page, 'paused')
  expect(await isFocused(page, 'Go on')).toBe(true)
  await page.keyboard.press('Enter')
  await state.getByText('Ready, waiting for work').waitFor()
  await page.keyboard.press('Shift+Tab')
  for (let step = 0; step < 10; step++) await page.keyboard.press('ArrowLeft')
  await page.getByText('Processor time: 50 %').waitFor()
  await button(page, 'Stop').press('Enter')
  await state.getByText('Off').waitFor()
  await button(page, 'Take back my consent').press('Enter')
  await state.getByText('Waiting for your answer').waitFor()
  await page.context().close()
}, 60_000)

test('it shows the tasks done, and fits into a narrow page in light and dark', async () => {
  const client = createClient({ url: broker.url, logger: silentLogger })
  for (const colorScheme of ['light', 'dark'] as const) {
    const page = await open('', colorScheme)
    const task = await client.submit('page.double', 21)
    expect(await task.result()).toBe(42)
    await page.getByText('1 task done').waitFor()
    const [content = 0, window = 0] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth])
    expect(content).toBeLessThanOrEqual(window)
    await picture(page, `working-${colorScheme}`)
    await page.setViewportSize({ width: 1100, height: 480 })
    await picture(page, `desktop-${colorScheme}`)
    await page.context().close()
  }
  await client.close()
}, 60_000)
