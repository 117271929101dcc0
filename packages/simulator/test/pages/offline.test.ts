import { afterAll, beforeAll, expect, test } from 'vitest'
import { openSite, type Site, visit } from './site.ts'

let site: Site
beforeAll(async () => {
  site = await openSite()
})
afterAll(() => site.close())

test('from the second visit on, every room opens without a network', async () => {
  const page = await visit(site, '')
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => {}))
  await page.context().setOffline(true)
  await page.reload()
  await page.getByRole('button', { name: /^Broker ready/ }).waitFor()
  await page.getByRole('link', { name: 'Lessons' }).click()
  await page.getByRole('heading', { level: 1, name: 'Lessons' }).waitFor()
  await page.getByRole('link', { name: 'Compare' }).click()
  await page
    .getByRole('button', { name: /^Broker ready/ })
    .first()
    .waitFor()
  const rules = await page.context().newPage()
  await rules.goto(`${site.origin}rules.html#LEASE-3`)
  expect(await rules.title()).toBe('The queue, rule by rule')
})
