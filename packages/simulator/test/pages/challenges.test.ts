import { afterAll, beforeAll, expect, test } from 'vitest'
import { challenges } from '../../src/challenges/index.ts'
import { fits, openSite, type Site, seriousIn, visit } from './site.ts'

let site: Site
beforeAll(async () => {
  site = await openSite()
})
afterAll(() => site.close())

const monday = challenges.find(({ name }) => name === 'survive-monday') as (typeof challenges)[number]
const [fast, old] = monday.solution

test('a challenge is solved by keyboard, the result is a link, and the scene can be watched', async () => {
  const page = await visit(site, '#/challenges')
  await page.getByRole('link', { name: monday.title }).focus()
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: monday.title }).waitFor()
  await page.getByRole('button', { name: /^Run with/ }).press('Enter')
  await page.getByText('Not yet.').waitFor()
  expect(await page.locator('.goal-missed').count()).toBeGreaterThan(0)
  const slider = page.getByRole('slider', { name: /^fast workers/ })
  await slider.focus()
  for (let at = 0; at < 6; at += 1) await page.keyboard.press('ArrowRight')
  await page.getByText('more than you have').waitFor()
  const fields = page.getByRole('spinbutton')
  await fields.nth(0).fill(String(fast))
  await fields.nth(0).press('Tab')
  await fields.nth(1).fill(String(old))
  await fields.nth(1).press('Tab')
  await page.getByText('You have turned a knob').waitFor()
  await page.getByRole('button', { name: /^Run with/ }).press('Enter')
  await page.getByText('Solved, with every seed').waitFor()
  expect(await page.locator('.goal-reached').count()).toBe(monday.goals.length)
  expect(page.url()).toContain(`#/challenges/survive-monday?k=${monday.solution.join()}`)
  await page.getByRole('button', { name: 'Watch it' }).press('Enter')
  await page.getByRole('button', { name: `Worker ${(fast ?? 0) + (old ?? 0)} ` }).waitFor()
  await page.goto(`${site.origin}#/challenges`)
  await page.getByText('✓ solved').waitFor()
})

test('a link shows somebody’s result, and axe finds nothing serious, also on a phone in the dark', async () => {
  const page = await visit(site, `#/challenges/survive-monday?k=${monday.solution.join()}`, {
    viewport: { width: 360, height: 740 },
    colorScheme: 'dark',
  })
  await page.getByText('Solved, with every seed').waitFor()
  expect(await fits(page)).toBe(true)
  expect(await seriousIn(page)).toEqual([])
})
