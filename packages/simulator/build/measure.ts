/**
 * Measures the built simulator that is served at an address, and prints the figures of docs/performance.md:
 *
 *   pnpm --filter @sluice/simulator run build
 *   pnpm --filter @sluice/simulator exec vite preview --port 4173
 *   pnpm --filter @sluice/simulator run measure http://127.0.0.1:4173/
 */
import { gzipSync } from 'node:zlib'
import { openWorld, type Scenario } from '@sluice/world'
import chromium from '@sparticuz/chromium'
import { chromium as browserType, type Page } from 'playwright'
import { Run } from '../src/engine/run.ts'
import { PRESETS } from '../src/presets/index.ts'
import { welcome } from '../src/presets/welcome.ts'
import { addressOf } from '../src/share/shared-run.ts'

const HOUR_MS = 60 * 60_000
const PLAY_MS = 10_000
/** 20 minutes of the scene in 40 s of a watch. */
const LONG_SPEED = 30
const LONG_MS = 40_000

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
}

async function hour(): Promise<void> {
  const begun = performance.now()
  const world = openWorld(welcome, 1, { isHashed: false, only: new Set(['outcome']) })
  await world.advanceTo(HOUR_MS - 1)
  print('one simulated hour of the first scene', `${((performance.now() - begun) / 1000).toFixed(1)} s`)
}

/** A scene with many observations in little time. */
const dense: Scenario = {
  ...welcome,
  durationMs: 5 * 60_000,
  producers: [{ ...(welcome.producers[0] as Scenario['producers'][0]), arrivals: { kind: 'poisson', rate: 15 } }],
  workers: [{ ...(welcome.workers[0] as Scenario['workers'][0]), count: 6, concurrency: 12 }],
}

async function seek(): Promise<void> {
  const run = new Run({ scenario: dense, seed: 1, changes: [] })
  let atMs = 0
  while (run.seen.length < 100_000 && atMs < dense.durationMs - 1000) {
    atMs += 1000
    await run.reach(atMs)
  }
  const times: number[] = []
  for (let i = 0; i < 60; i += 1) {
    const to = ((i * 7919) % 1000) / 1000
    const begun = performance.now()
    run.show(to * atMs)
    times.push(performance.now() - begun)
  }
  print(
    `a seek among ${run.seen.length} observations`,
    `p50 ${quantile(times, 0.5).toFixed(1)} ms, most ${quantile(times, 1).toFixed(1)} ms`,
  )
}

async function firstView(page: Page, url: string): Promise<void> {
  let bytes = 0
  const bodies: Promise<void>[] = []
  page.on('response', (response) => {
    if (response.url().endsWith('/offline.js')) return
    bodies.push(
      response.body().then(
        (body) => {
          bytes += gzipSync(body).length
        },
        () => {},
      ),
    )
  })
  const begun = performance.now()
  await page.goto(url)
  await page.getByRole('button', { name: /^Broker ready/ }).waitFor()
  print('the first view is there after', `${((performance.now() - begun) / 1000).toFixed(1)} s`)
  await page.waitForTimeout(1500)
  await Promise.all(bodies)
  print('what it loads, gzip, tabs included', `${(bytes / 1024).toFixed(0)} KiB`)
}

async function frames(page: Page, url: string): Promise<void> {
  const run = {
    preset: 'welcome',
    scenario: welcome,
    seed: 1,
    atMs: 0,
    speed: 1,
    changes: [
      { atMs: 0, change: { type: 'producers', group: 0, count: 8 } as const },
      { atMs: 0, change: { type: 'arrivals', group: 0, arrivals: { kind: 'poisson', rate: 20 } } as const },
    ],
  }
  await page.goto('about:blank')
  await page.goto(`${url}#${await addressOf(run, PRESETS)}`)
  await page.getByRole('button', { name: /^Broker ready/ }).waitFor()
  await page.keyboard.press('ArrowRight')
  await page.waitForTimeout(500)
  for (let i = 0; i < 5; i += 1) await page.keyboard.press('ArrowRight')
  await page.waitForTimeout(1500)
  await page.keyboard.press(' ')
  const seen = await page.evaluate(async (forMs) => {
    const long: number[] = []
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) long.push(duration)
    }).observe({ entryTypes: ['longtask'] })
    const gaps: number[] = []
    let last = performance.now()
    const endMs = last + forMs
    await new Promise<void>((resolve) => {
      const frame = (now: number) => {
        gaps.push(now - last)
        last = now
        if (now < endMs) requestAnimationFrame(frame)
        else resolve()
      }
      requestAnimationFrame(frame)
    })
    return { gaps: gaps.slice(1), longest: Math.max(0, ...long) }
  }, PLAY_MS)
  const tokens = await page.locator('.count-more').allTextContents()
  print(
    'frames of a scene with 160 tasks a second',
    `p50 ${quantile(seen.gaps, 0.5).toFixed(1)} ms, p95 ${quantile(seen.gaps, 0.95).toFixed(1)} ms, longest task ${seen.longest.toFixed(0)} ms (${tokens.join(', ')})`,
  )
}

async function longPlay(page: Page, url: string): Promise<void> {
  await page.goto('about:blank')
  await page.goto(url)
  await page.getByRole('button', { name: /^Broker ready/ }).waitFor()
  const session = await page.context().newCDPSession(page)
  const heap = async (): Promise<number> => {
    await session.send('HeapProfiler.collectGarbage')
    const { usedSize } = await session.send('Runtime.getHeapUsage')
    return usedSize / 1024 ** 2
  }
  const speed = page.getByRole('button', { name: 'Faster' })
  for (let i = 0; i < 3; i += 1) await speed.click()
  await page.waitForTimeout(LONG_MS / 4)
  const early = await heap()
  await page.waitForTimeout((LONG_MS * 3) / 4)
  const clock = await page.getByLabel('World time').textContent()
  print(
    `the page's heap early and at ${clock} of world time, at ${LONG_SPEED} ×`,
    `${early.toFixed(1)} and ${(await heap()).toFixed(1)} MiB`,
  )
}

function print(what: string, figure: string): void {
  console.log(`${what}: ${figure}`)
}

const [url = 'http://127.0.0.1:4173/'] = process.argv.slice(2)
await hour()
await seek()
const browser = await browserType.launch({
  executablePath: await chromium.executablePath(),
  args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
})
const context = await browser.newContext({ viewport: { width: 1240, height: 860 }, locale: 'en-US' })
const page = await context.newPage()
await firstView(page, url)
await frames(page, url)
await longPlay(page, url)
await browser.close()
