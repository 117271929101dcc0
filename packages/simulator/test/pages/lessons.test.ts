import type { Page } from 'playwright'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { lessons } from '../../src/lessons/index.ts'
import { openSite, type Site, tabTo, visit } from './site.ts'

let site: Site
beforeAll(async () => {
  site = await openSite()
})
afterAll(() => site.close())

/** Answers the prompt that is shown, with the keyboard. Of choices the first is taken. */
async function answer(page: Page, button: string): Promise<void> {
  await page.getByRole('button', { name: button }).waitFor({ timeout: 100_000 })
  await page.waitForFunction(() => document.activeElement?.closest('.prompt'))
  const radios = page.locator('.prompt input[type=radio]')
  if ((await radios.count()) > 0) {
    await page.keyboard.press('Tab')
    await page.keyboard.press(' ')
  }
  if ((await page.locator('.ask-number').count()) > 0) {
    await page.keyboard.press('Tab')
    await page.keyboard.press('ArrowRight')
  }
  await tabTo(page, button)
  await page.keyboard.press('Enter')
}

async function toTheEnd(page: Page): Promise<void> {
  await tabTo(page, 'To the end')
  await page.keyboard.press('Enter')
}

test.each(lessons.map(({ name, title }) => ({ name, title })))(
  'the lesson “$title” is walked with the keyboard alone',
  async ({ name, title }) => {
    const page = await visit(site, `#/lessons/${name}`)
    await page.getByRole('heading', { level: 1, name: title }).waitFor()
    await answer(page, 'That is my guess: run it')
    await toTheEnd(page)
    await answer(page, 'That is what I saw')
    await page.getByRole('heading', { name: 'Why' }).waitFor({ timeout: 100_000 })
    // The guess stands beside what happened.
    expect(await page.locator('.outcome').count()).toBe(2)
    await tabTo(page, 'Now change one thing')
    await page.keyboard.press('Enter')
    await answer(page, 'That is my guess: run it')
    await toTheEnd(page)
    await page.getByRole('button', { name: 'And somewhere else?' }).waitFor({ timeout: 100_000 })
    await tabTo(page, 'And somewhere else?')
    await page.keyboard.press('Enter')
    await answer(page, 'Check it')
    await page.locator('.claim').waitFor()
    const noted = () => page.evaluate(() => JSON.parse(localStorage.getItem('sluice-simulator-lessons') ?? '{}'))
    const guesses = { before: { guess: expect.any(Number) }, after: { error: expect.any(Number) } }
    await expect.poll(noted).toMatchObject({ [name]: guesses })
  },
)
