/**
 * Takes the pictures in docs/images of a simulator that is served:
 *
 *   pnpm --filter @sluice/simulator run screenshots http://127.0.0.1:5173/simulator/
 */
import { join } from 'node:path'
import chromium from '@sparticuz/chromium'
import { type Browser, type BrowserContextOptions, chromium as browserType, type Page } from 'playwright'
import sharp from 'sharp'

const images = join(import.meta.dirname, '..', '..', '..', 'docs', 'images')
const DESKTOP: BrowserContextOptions = { viewport: { width: 1240, height: 800 } }
const PHONE: BrowserContextOptions = { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2 }

interface Picture {
  name: string
  hash: string
  options: BrowserContextOptions
  pose: (page: Page) => Promise<void>
}

/** A moment in which there is something to see. */
async function untilSecond(page: Page, second: number): Promise<void> {
  await page.waitForFunction(
    (least) => {
      const [minutes = 0, seconds = 0] = (document.querySelector('.timeline-clock')?.textContent ?? '0:0')
        .split(':')
        .map(Number)
      return minutes * 60 + seconds >= least
    },
    second,
    { timeout: 120_000 },
  )
}

const PICTURES: readonly Picture[] = [
  {
    name: 'simulator-stage',
    hash: '',
    options: { ...DESKTOP, viewport: { width: 1240, height: 760 } },
    pose: (page) => untilSecond(page, 21.5),
  },
  {
    name: 'simulator-phone',
    hash: '',
    options: { ...PHONE, colorScheme: 'dark' },
    pose: (page) => untilSecond(page, 12),
  },
  {
    name: 'simulator-lesson',
    hash: '#/lessons/acknowledgement-and-lease',
    options: DESKTOP,
    pose: async (page) => {
      await page.locator('.prompt input[type=radio]').nth(1).check()
      await page.locator('.prompt button.solid').click()
      await page.waitForFunction(
        () => Number(document.querySelector<HTMLInputElement>('.lesson-time input')?.value) > 4200,
        undefined,
        { timeout: 120_000 },
      )
    },
  },
  {
    name: 'simulator-chart',
    hash: '',
    options: { ...DESKTOP, colorScheme: 'dark' },
    pose: async (page) => {
      await page.locator('[data-tab=charts]').click()
      await untilSecond(page, 9)
      await page.keyboard.press(' ')
      await page.locator('.charts-panel').scrollIntoViewIfNeeded()
      await page.evaluate(() => document.querySelector('.tabs')?.scrollIntoView({ block: 'start' }))
    },
  },
  {
    name: 'simulator-comparison',
    hash: '#/compare',
    options: DESKTOP,
    pose: async (page) => {
      await untilSecond(page, 12)
      await page.evaluate(() => scrollTo(0, 620))
      await page.waitForTimeout(1000)
    },
  },
  {
    name: 'simulator-no-return',
    hash: '#/compare/no-return',
    options: DESKTOP,
    pose: async (page) => {
      await page
        .getByText(/still asking/)
        .first()
        .waitFor({ state: 'detached', timeout: 600_000 })
    },
  },
]

async function take(browser: Browser, url: string, { name, hash, options, pose }: Picture): Promise<void> {
  const context = await browser.newContext({ locale: 'en-US', deviceScaleFactor: 1.5, ...options })
  const page = await context.newPage()
  await page.goto(`${url}${hash}`)
  await pose(page)
  const picture = await page.screenshot()
  await sharp(picture)
    .webp({ quality: 82 })
    .toFile(join(images, `${name}.webp`))
  await context.close()
  console.log(`took ${name}`)
}

const [url = 'http://127.0.0.1:5173/simulator/', ...names] = process.argv.slice(2)
const browser = await browserType.launch({
  executablePath: await chromium.executablePath(),
  args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
})
for (const picture of PICTURES)
  if (names.length === 0 || names.includes(picture.name)) await take(browser, url, picture)
await browser.close()
