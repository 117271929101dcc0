import { afterAll, beforeAll, expect, test } from 'vitest'
import { fits, openSite, type Site, seriousIn, visit } from './site.ts'

let site: Site
beforeAll(async () => {
  site = await openSite()
})
afterAll(() => site.close())

test('two worlds play under one playhead, and their difference is said, drawn and listed', async () => {
  const page = await visit(site, '#/compare/queue-bound')
  const clock = page.getByLabel('World time')
  await page.getByRole('region', { name: 'The world with no bound' }).waitFor()
  await page.getByRole('region', { name: 'The world with a bound of 4 tasks' }).waitFor()
  const words = page.locator('.difference-words')
  await words.waitFor()
  expect(await words.textContent()).toMatch(/^With a bound of 4 tasks: [\d.]+\s× as many useful answers/)
  expect(await page.locator('figure.fig').count()).toBe(4)
  await page.getByText('As a table').first().focus()
  await page.keyboard.press('Enter')
  await page.getByRole('columnheader', { name: 'a bound of 4 tasks' }).first().waitFor()
  // The keyboard moves the time of both.
  const slider = page.getByRole('slider', { name: 'The instant that is shown' })
  await slider.focus()
  await page.keyboard.press('Home')
  await page.keyboard.press('End')
  await expect.poll(() => clock.textContent(), { timeout: 60_000 }).toMatch(/^0:1\d\.\d$/)
  const brokers = page.getByRole('button', { name: /^Broker / })
  const waiting = async (): Promise<number[]> => {
    const texts = await brokers.evaluateAll((all) => all.map((one) => one.textContent ?? ''))
    return texts.map((text) => Number(/orders(\d+) ready/.exec(text)?.[1]))
  }
  const [unbounded, bounded] = await waiting()
  expect(bounded).toBeLessThanOrEqual(4)
  expect(unbounded).toBeGreaterThan(bounded as number)
})

test('every figure has a name, and axe finds nothing serious, also on a phone in the dark', async () => {
  const page = await visit(site, '#/compare/queue-bound', {
    viewport: { width: 360, height: 740 },
    colorScheme: 'dark',
    reducedMotion: 'reduce',
  })
  await page.locator('.difference-words').waitFor()
  expect(await fits(page)).toBe(true)
  // The stage has its own test.
  expect(await seriousIn(page, '.stage')).toEqual([])
})

test('the futures of a run are asked one after the other, drawn as they come, and stopped', async () => {
  const page = await visit(site, '#/compare/no-return')
  await page.getByText(/^[1-9]\d* of 400 futures$/).waitFor()
  await expect.poll(() => page.locator('.fig-dot').count(), { timeout: 60_000 }).toBeGreaterThan(3)
  await page.getByRole('button', { name: 'Stop' }).press('Enter')
  await page.getByText(/^Stopped after \d+ of 400 futures\.$/).waitFor()
  await page.getByText('As a table').first().click()
  await page.getByText('1 of 1').first().waitFor()
})

test('a sweep is drawn as its runs come, and is asked for anew by keyboard', async () => {
  const page = await visit(site, '#/compare/sweep')
  await page.getByText(/^[1-9]\d* of 35 runs$/).waitFor()
  const line = page.locator('.fig-line.look-of-0').first()
  await expect.poll(() => line.getAttribute('d'), { timeout: 60_000 }).toMatch(/^M.*L/)
  await page.getByLabel('Seeds of each value').selectOption('3')
  await page.getByRole('combobox', { name: 'Values', exact: true }).selectOption('5')
  await page.getByText('15 runs.').waitFor()
  await page.getByLabel('from').fill('20')
  await page.getByRole('button', { name: 'Run', exact: true }).press('Enter')
  await page.getByText('the first value must be below the last').waitFor()
  await page.getByText('As a table').click()
  expect(await page.locator('.fig-table tbody tr').count()).toBe(5)
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Save all runs as CSV' }).click(),
  ])
  expect(download.suggestedFilename()).toBe('sweep-rate.csv')
})

test.each(['sweep', 'no-return'])('the room %s fits on a phone, and axe finds nothing serious', async (name) => {
  const page = await visit(site, `#/compare/${name}`, { viewport: { width: 360, height: 740 }, colorScheme: 'dark' })
  await page.locator('.fig-dot').first().waitFor()
  expect(await fits(page)).toBe(true)
  const form = page.locator('.no-return-text')
  expect(await form.evaluate((box) => box.scrollWidth <= box.clientWidth)).toBe(true)
  expect(await seriousIn(page)).toEqual([])
})

test('two runs of the play room are laid side by side', async () => {
  const page = await visit(site, '#/')
  await page.getByRole('button', { name: 'Crash a worker now' }).click()
  await page.getByRole('button', { name: 'Compare with run 1' }).press('Enter')
  await page.getByRole('link', { name: 'Your runs 1 and 2' }).waitFor()
  await page.getByRole('region', { name: 'The world with run 2' }).waitFor()
  await page.locator('.difference-words').waitFor()
  // Nothing of it is kept with the page.
  await page.reload()
  await page.getByText('These runs are gone').waitFor()
})
