import { createHash } from 'node:crypto'
import { type Broker, createBroker } from '@sluice/broker'
import chromium from '@sparticuz/chromium'
import { type Browser, type BrowserContext, chromium as browserType, type Page } from 'playwright'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { renderArea } from '../src/fractal.ts'
import { PLACES } from '../src/places.ts'
import { type BuiltApp, serveBuiltApp } from './built-app.ts'

let app: BuiltApp
let browser: Browser

beforeAll(async () => {
  const launched = chromium.executablePath().then((executablePath) =>
    browserType.launch({
      executablePath,
      args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
    }),
  )
  ;[app, browser] = await Promise.all([serveBuiltApp(), launched])
})

afterAll(async () => {
  await browser?.close()
  await app?.close()
})

interface Grid {
  columns: number
  rows: number
  tile: number
}

async function newBroker(): Promise<Broker> {
  const broker = await createBroker({ journal: { kind: 'memory' }, port: 0 })
  onTestFinished(() => broker.close())
  return broker
}

async function newContext(): Promise<BrowserContext> {
  const context = await browser.newContext({ viewport: { width: 1000, height: 700 } })
  onTestFinished(() => context.close())
  return context
}

async function open(context: BrowserContext, broker: Broker, { columns, rows, tile }: Grid): Promise<Page> {
  const page = await context.newPage()
  const parameters = { broker: broker.url, columns, rows, tile, 'ignore-pressure': '' }
  const query = new URLSearchParams(Object.entries(parameters).map(([key, value]) => [key, String(value)]))
  await page.goto(`${app.origin}/?${query}`)
  return page
}

const agree = (page: Page) => page.locator('#consent').getByRole('button', { name: 'Lend this tab' }).click()
const render = (page: Page) => page.locator('#render').click()
const nameOf = (page: Page) => page.locator('sluice-tab-worker').getByRole('heading').textContent()
const isComplete = (page: Page) => page.locator('#save:enabled').waitFor()
const isRunningAt = (page: Page, name: string | null) =>
  page.locator(`#tiles [data-state="running"][data-by="${name}"]`).first().waitFor()

async function asked<T>(broker: Broker, path: string): Promise<T> {
  return (await fetch(`${broker.httpUrl}${path}`)).json() as Promise<T>
}

interface QueueCounts {
  ready: number
  leased: number
  succeeded: number
  dead: number
  cancelled: number
}

const queue = async (broker: Broker) => (await asked<{ queues: QueueCounts[] }>(broker, '/v1/queues')).queues[0]

/** The names of those that take tasks. */
async function workers(broker: Broker): Promise<string[]> {
  const answer = await asked<{ workers: { name: string; connected: boolean; queues: string[] }[] }>(
    broker,
    '/v1/workers',
  )
  return answer.workers.filter(({ connected, queues }) => connected && queues.length > 0).map(({ name }) => name)
}

/** How many tiles each tab has rendered, as a page shows it. */
function tally(page: Page): Promise<[name: string, tiles: number][]> {
  return page
    .locator('#tabs li')
    .evaluateAll((rows) =>
      rows.map((row): [string, number] => [
        (row as HTMLElement).dataset.tab ?? '',
        Number(row.lastElementChild?.textContent),
      ]),
    )
}

const pixels = (page: Page) =>
  page.locator('#canvas').evaluate(async (node) => {
    const canvas = node as HTMLCanvasElement
    const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height)
    const hash = await crypto.subtle.digest('SHA-256', data)
    return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('')
  })

function pixelsOfOneProgram({ columns, rows, tile }: Grid): string {
  const size = { width: columns * tile, height: rows * tile }
  const rendering = renderArea(PLACES[0]!, size, { x: 0, y: 0, ...size })
  for (;;) {
    const step = rendering.next()
    if (step.done) return createHash('sha256').update(step.value).digest('hex')
  }
}

test('three tabs of two browsers render a picture, although one is closed in the middle', async () => {
  const broker = await newBroker()
  const grid = { columns: 6, rows: 4, tile: 24 }
  const [home, elsewhere] = [await newContext(), await newContext()]
  const [first, second, third] = await Promise.all([
    open(home, broker, grid),
    open(home, broker, grid),
    open(elsewhere, broker, grid),
  ])
  // The second tab shares the storage, and with it the answer.
  await Promise.all([agree(first), agree(third)])
  await expect.poll(() => workers(broker)).toHaveLength(3)
  const closed = await nameOf(second)
  // Two tabs ask for the same picture at the same time. It is one.
  await Promise.all([render(first), render(second)])
  await isRunningAt(first, closed)
  await second.close()
  await isComplete(first)

  const expected = pixelsOfOneProgram(grid)
  expect(await pixels(first)).toBe(expected)
  expect(await queue(broker)).toMatchObject({ succeeded: 24, ready: 0, leased: 0, dead: 0, cancelled: 0 })
  const tiles = await tally(first)
  expect(tiles.reduce((sum, [, count]) => sum + count, 0)).toBe(24)
  expect(Object.fromEntries(tiles)).toHaveProperty([(await nameOf(third)) ?? ''])

  // The other browser has seen its own tiles. It asks for the rest by the same ids, and nothing is rendered again.
  await third.getByRole('button', { name: 'Show all of it' }).click()
  await isComplete(third)
  expect(await pixels(third)).toBe(expected)
  expect(await queue(broker)).toMatchObject({ succeeded: 24, ready: 0, leased: 0 })

  // A reload finds everything in the outbox.
  await first.reload()
  await isComplete(first)
  expect(await pixels(first)).toBe(expected)
  expect(await tally(first)).toEqual(tiles)
}, 60_000)

test('without consent there is no Worker and no connection that takes tasks', async () => {
  const broker = await newBroker()
  const page = await open(await newContext(), broker, { columns: 2, rows: 2, tile: 16 })
  await page.getByRole('button', { name: 'Only watch' }).click()
  await render(page)
  await expect.poll(() => queue(broker)).toMatchObject({ ready: 4, leased: 0, succeeded: 0 })
  expect(page.workers()).toEqual([])
  expect(await workers(broker)).toEqual([])
  expect(await page.locator('#waiting').textContent()).toBe('4')

  await page.locator('sluice-tab-worker').getByRole('button', { name: 'Lend this tab' }).click()
  await isComplete(page)
  expect(page.workers()).not.toEqual([])
  expect(await workers(broker)).toEqual([await nameOf(page)])
})

test('stop ends the work of a tab at once, and another one finishes the picture', async () => {
  const broker = await newBroker()
  const grid = { columns: 2, rows: 1, tile: 128 }
  const [stopping, helping] = await Promise.all([
    open(await newContext(), broker, grid),
    open(await newContext(), broker, grid),
  ])
  await agree(stopping)
  const name = await nameOf(stopping)
  await render(stopping)
  await isRunningAt(stopping, name)
  await stopping.getByRole('button', { name: 'Stop now' }).click()
  await expect.poll(() => stopping.workers()).toEqual([])
  await expect.poll(() => workers(broker)).toEqual([])
  // It stopped in the middle of a tile, which waits for another tab.
  expect(await queue(broker)).not.toMatchObject({ succeeded: 2 })
  await expect.poll(() => stopping.locator('#tiles [data-state="running"]').count()).toBe(0)

  await agree(helping)
  await isComplete(stopping)
  expect(await queue(broker)).toMatchObject({ succeeded: 2, dead: 0 })
  expect(await tally(stopping)).toContainEqual([await nameOf(helping), expect.any(Number)])
}, 60_000)
