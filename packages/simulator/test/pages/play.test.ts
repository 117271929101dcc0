import type { Page } from 'playwright'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fits, openSite, type Site, seriousIn, tabTo, visit } from './site.ts'

let site: Site
beforeAll(async () => {
  site = await openSite()
})
afterAll(() => site.close())

/** World time as the page shows it, in seconds. */
async function clock(page: Page): Promise<number> {
  const text = await page.getByLabel('World time').textContent()
  const [minutes, seconds] = (text ?? '').split(':')
  return Number(minutes) * 60 + Number(seconds)
}

async function pastSecond(page: Page, second: number): Promise<void> {
  await expect.poll(() => clock(page), { timeout: 60_000 }).toBeGreaterThan(second)
}

test('the first view is a running scene that says where to start', async () => {
  const page = await visit(site, '')
  await page.getByRole('link', { name: 'Start here' }).waitFor()
  await pastSecond(page, 2)
  expect(await page.getByRole('button', { name: /^Broker ready/ }).count()).toBe(1)
  expect(await page.getByRole('button', { name: /^Worker \d connected/ }).count()).toBe(3)
})

test('the keyboard alone stops the scene, steps it, opens a part and crashes it there', async () => {
  const page = await visit(site, '')
  await pastSecond(page, 3)
  await page.keyboard.press(' ')
  const stopped = await clock(page)
  await page.keyboard.press('.')
  await expect.poll(() => clock(page)).toBeGreaterThanOrEqual(stopped)
  await page.keyboard.press('ArrowLeft')
  await expect.poll(() => clock(page)).toBeLessThan(stopped)
  await tabTo(page, /^Worker 2/)
  await page.keyboard.press('Enter')
  await tabTo(page, 'Crash')
  await page.keyboard.press('Enter')
  await page.locator('.branches select').waitFor()
  await page.keyboard.press('Escape')
  await page.keyboard.press('ArrowRight')
  await page.getByRole('button', { name: /^Worker 2 crashed/ }).waitFor()
  // The run as planned is still there.
  await page.locator('.branches select').selectOption('1')
  await page.getByRole('button', { name: /^Worker 2 connected/ }).waitFor()
  await page.keyboard.press('?')
  await page.getByRole('heading', { name: /What you see/ }).waitFor()
})

test('a hand adds workers and slows the network where it is', async () => {
  const page = await visit(site, '')
  await pastSecond(page, 1)
  await page.getByRole('button', { name: /^Worker 1 / }).click()
  await page.getByRole('button', { name: 'Workers: one more' }).click()
  await page.getByRole('button', { name: /^Worker 4 / }).waitFor()
  await page.getByRole('button', { name: 'Workers: one more' }).click()
  await page.getByRole('button', { name: /^Worker 5 / }).waitFor()
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: /^Broker / }).click()
  await page.getByLabel('A message takes, one way').fill('200')
  await expect.poll(() => page.getByLabel('A message takes, one way').getAttribute('aria-valuetext')).toBe('3000 ms')
})

const SCREENS = [
  { name: 'desktop, light', options: { colorScheme: 'light' } },
  { name: 'phone, dark', options: { colorScheme: 'dark', viewport: { width: 360, height: 780 } } },
] as const

const PLACES = [
  ['the scene', ''],
  ['the lessons', '#/lessons'],
  ['a lesson', '#/lessons/acknowledgement-and-lease'],
] as const

test.each(SCREENS.flatMap((screen) => PLACES.map(([words, hash]) => ({ ...screen, words, hash }))))(
  'axe finds nothing serious in $words ($name), and nothing is wider than the screen',
  async ({ options, hash }) => {
    const page = await visit(site, hash, options)
    await page.getByRole('heading', { level: 1 }).waitFor()
    const broker = page.getByRole('button', { name: /^Broker / }).first()
    if (hash !== '#/lessons') await broker.waitFor({ timeout: 60_000 })
    expect(await seriousIn(page)).toEqual([])
    expect(await fits(page)).toBe(true)
  },
)

test('the run is told in words, measures, attempts, state charts, tasks and the story of one', async () => {
  const page = await visit(site, '')
  await pastSecond(page, 8)
  await page.keyboard.press(' ')
  await page.getByRole('heading', { name: 'What has happened' }).waitFor()
  await page.getByRole('tab', { name: 'Measures' }).click()
  await page.getByText('Time to the outcome').first().waitFor()
  await page.getByRole('tab', { name: 'Attempts' }).click()
  await page.getByRole('region', { name: 'Attempts by worker' }).waitFor()
  await page.getByRole('tab', { name: 'State charts' }).click()
  await page.getByRole('img', { name: /task/i }).first().waitFor()
  await page.locator('.charts-choice select').first().selectOption('connection')
  await page
    .getByRole('img', { name: /connection/i })
    .first()
    .waitFor()
  await page.getByRole('tab', { name: 'Tasks' }).click()
  await page
    .getByRole('button', { name: /^#\d+$/ })
    .first()
    .click()
  const story = page.getByRole('region', { name: /^Story of task #\d+$/ })
  await story.waitFor()
  expect(await story.textContent()).toContain('SUBMIT-1')
  await page.keyboard.press('Escape')
  await story.waitFor({ state: 'detached' })
})

test('a link opens the run at its instant, a wrong one says why, and a trace opens from its file', async () => {
  const page = await visit(site, '')
  await pastSecond(page, 4)
  await page.keyboard.press(' ')
  const stopped = await clock(page)
  await page.getByRole('button', { name: 'Share' }).click()
  await expect.poll(() => page.url()).toContain('#run=')
  const shared = page.url().slice(page.url().indexOf('#'))
  await page.getByRole('button', { name: 'Save …' }).click()
  const downloading = page.waitForEvent('download')
  await page.getByRole('button', { name: /^Trace/ }).click()
  const download = await downloading
  const trace = await download.path()

  const other = await visit(site, shared)
  await expect.poll(() => clock(other), { timeout: 60_000 }).toBeCloseTo(stopped, 0)
  await other.locator('input[type=file]').setInputFiles(trace)
  await other.getByText('This is a recording').waitFor()

  const fuzz = await visit(site, '#fuzz=300515&at=5000')
  await expect.poll(() => clock(fuzz), { timeout: 60_000 }).toBe(5)
  // The room is the same one without the link.
  await fuzz.getByRole('link', { name: 'Play', exact: true }).click()
  await fuzz.keyboard.press('ArrowRight')
  await expect.poll(() => clock(fuzz), { timeout: 60_000 }).toBe(6)
  const wrong = await visit(site, '#run=garbage')
  expect(await wrong.getByRole('alert').textContent()).toMatch(/^This link cannot be opened: /)
})

test('another scene and another seed are chosen, and tabs are hidden and lose their storage', async () => {
  const page = await visit(site, '')
  await page.getByLabel('Scene').selectOption('phones')
  await page.getByRole('button', { name: /^Tab 4 connected/ }).waitFor()
  await page.getByLabel('Seed').fill('7')
  await page.keyboard.press('Tab')
  await page.getByRole('button', { name: /^Tab 1 connected/ }).click()
  await page.getByRole('button', { name: 'Storage gone 5 s' }).click()
  await page.getByRole('button', { name: 'Hide 5 s' }).click()
  await page.getByRole('button', { name: /^Tab 1 hidden/ }).waitFor()
})

test('with reduced motion the scene goes on in steps', async () => {
  const page = await visit(site, '', { reducedMotion: 'reduce' })
  // Nothing moves before it is asked to.
  await page.getByRole('button', { name: 'Play', exact: true }).click()
  await pastSecond(page, 2)
  const seen = new Set<number>()
  const untilMs = Date.now() + 3500
  while (Date.now() < untilMs) {
    seen.add(await clock(page))
    await page.waitForTimeout(50)
  }
  expect(seen.size).toBeGreaterThan(1)
  expect(seen.size).toBeLessThanOrEqual(6)
})
