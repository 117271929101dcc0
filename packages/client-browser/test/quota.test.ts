import { expect, onTestFinished, test } from 'vitest'
import type { QuotaPage } from './pages/quota-page.ts'
import { launchBrowser, serveSite } from './pages/site.ts'

declare const page: QuotaPage

test('case 42: a batch past the quota is refused as a whole by its code, and the queue is intact', async () => {
  const { origin, pageUrl } = await serveSite(['quota-page'])
  const browser = await launchBrowser()
  onTestFinished(() => browser.close())
  const tab = await browser.newPage()
  const protocol = await tab.context().newCDPSession(tab)
  await protocol.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 5_000_000 })
  await tab.goto(pageUrl)
  expect(await tab.evaluate(() => page.addSmall())).toBe(1)
  expect(await tab.evaluate(() => page.addPhotos(200))).toBe('store_full')
  expect(await tab.evaluate(() => page.saved())).toBe(1)
  await protocol.send('Storage.overrideQuotaForOrigin', { origin })
  expect(await tab.evaluate(() => page.addPhotos(200))).toBe(200)
  expect(await tab.evaluate(() => page.saved())).toBe(201)
})
