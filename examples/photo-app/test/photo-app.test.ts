import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTheatre, photo, Stage, type Theatre } from './stage.ts'

let theatre: Theatre
beforeAll(async () => {
  theatre = await openTheatre()
}, 90_000)
afterAll(() => theatre.browser.close())

/** Small files, so that the tests are about the queue and not about decoding. */
const TEN = [
  ...['alpine-lake', 'foggy-spruces', 'lavender-hills', 'pool-light', 'white-marble'],
  ...['river-pebbles', 'green-marble', 'blue-agate', 'teal-nebula', 'oak-boards'],
].map((name) => photo(`${name}.jpg`))

test('the sample photos come back as thumbnails', async () => {
  await using stage = await Stage.open(theatre)
  const app = await stage.visit()
  await app.says('Connected')
  await app.button('Use ten sample photos').click()
  await app.shows('done', 10)
  await app.showsCount('Done', 10)
  await app.showsCount('Saved here', 0)
  await expect.poll(() => app.thumbnailWidths().then((widths) => widths.filter((width) => width > 0).length)).toBe(10)
  expect(Math.max(...(await app.thumbnailWidths()))).toBe(480)
  expect(await stage.counts()).toEqual({ succeeded: 10, dead: 0, ready: 0, leased: 0 })
}, 90_000)

test('ten photos that are dropped offline survive the page, and each is done once when the broker is there', async () => {
  await using stage = await Stage.open(theatre)
  await stage.stopBroker()
  const first = await stage.visit()
  await stage.context.setOffline(true)
  await first.says('Offline')
  await first.drop(TEN)
  await first.shows('saved', 10)
  await first.showsCount('Saved here', 10)
  await first.page.close()
  await stage.context.setOffline(false)
  await stage.startBroker()

  const again = await stage.visit()
  await again.shows('done', 10)
  await again.showsCount('Done', 10)
  expect(await again.cards().count()).toBe(10)
  expect(await stage.counts()).toEqual({ succeeded: 10, dead: 0, ready: 0, leased: 0 })
}, 90_000)

test('the switch cuts the network of all tabs, one of which sends, and gives it back', async () => {
  await using stage = await Stage.open(theatre)
  const first = await stage.visit()
  await first.says('This tab sends')
  const second = await stage.visit()
  await second.says('Another tab sends')
  await second.cutNetwork(true)
  await first.says('Network cut')
  await second.choose(photo('alpine-lake.jpg'))
  await first.shows('saved', 1)
  // A photo that is not wanted any more is cancelled as soon as the broker can be told.
  await first.choose(photo('foggy-spruces.jpg'))
  await first.button('Cancel foggy-spruces.jpg').click()
  await first.shows('cancelling', 1)
  await second.cutNetwork(false)
  await first.shows('done', 1)
  await second.shows('done', 1)
  await second.shows('cancelled', 1)
  await first.page.close()
  await second.says('This tab sends')
}, 90_000)

test('two users of one device see, send and delete only what is their own', async () => {
  await using stage = await Stage.open(theatre, { hasAccess: true })
  const app = await stage.visit()
  await app.choose(photo('alpine-lake.jpg', 'of-ada.jpg'))
  await app.shows('done', 1)
  await app.cutNetwork(true)
  await app.choose(photo('foggy-spruces.jpg', 'later-of-ada.jpg'))
  await app.shows('saved', 1)
  const ids = await app.cards().evaluateAll((cards) => cards.map((card) => card.getAttribute('data-id') ?? ''))
  // Waiting for the network can be given up.
  await app.signOut(/^Send first/)
  await app.says(/Waiting until 1 photo is sent/)
  await app.button('Do not wait').click()
  await app.page.getByRole('dialog').getByRole('button', { name: /^Keep/ }).click()

  await app.button('Sign in as Grace').click()
  await app.says('Drop photos here')
  await app.cutNetwork(false)
  await app.choose(photo('pool-light.jpg', 'of-grace.jpg'))
  await app.shows('done', 1)
  expect(await app.cards().count()).toBe(1)
  expect((await stage.counts()).succeeded).toBe(2)
  await app.signOut(/^Delete/)

  await app.button('Sign in as Ada').click()
  await app.shows('done', 2)
  await app.says('later-of-ada.jpg')
  expect(await app.cards().count()).toBe(2)
  expect((await stage.counts()).succeeded).toBe(3)
  for (const id of ids) {
    expect(await stage.statusOfTask(id, 'ada')).toBe(200)
    expect(await stage.statusOfTask(id, 'grace')).toBe(404)
  }
  await app.signOut(/^Keep/)
  await app.button('Sign in as Grace').click()
  await app.says('Drop photos here')
}, 90_000)

test('while the broker refuses the token photos are kept, and sent after signing in again', async () => {
  await using stage = await Stage.open(theatre, { hasAccess: true })
  await stage.context.route('**/demo-token*', (route) => route.fulfill({ body: 'no token' }))
  const app = await stage.visit()
  await app.says('Needs sign-in')
  await app.choose(photo('alpine-lake.jpg'))
  await app.shows('needsAuth', 1)
  await app.says('It is safe on this device. Sign in again to send it.')
  await stage.context.unroute('**/demo-token*')
  await app.button('Sign in again').click()
  await app.shows('done', 1)
}, 90_000)

test('a file that is no picture fails and one over the limit is refused, each with its sentence', async () => {
  await using stage = await Stage.open(theatre)
  const app = await stage.visit()
  const text = { name: 'notes.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('no picture') }
  await app.choose(text, photo('golden-julia.jpg'), photo('violet-julia.jpg'), photo('alpine-lake.jpg'))
  await app.shows('done', 1)
  await app.shows('failed', 1)
  await app.shows('parked', 2)
  await app.showsCount('Need you', 3)
  const sentences = await app.page.locator('.card .sentence').allTextContents()
  expect(sentences.sort()).toEqual([
    'It has 283 KB, and the broker takes at most 262 KB.',
    'It has 348 KB, and the broker takes at most 262 KB.',
    'This file is damaged, or it is no picture.',
  ])

  const download = app.page.waitForEvent('download')
  await app.button('Export golden-julia.jpg').click()
  expect((await download).suggestedFilename()).toBe('golden-julia.jpg')
  await app.button('Discard golden-julia.jpg').click()
  await app.shows('parked', 1)
  // The limit is still there, so it is refused again.
  await app.button('Retry violet-julia.jpg').click()
  await app.shows('parked', 1)
  await app.button('Remove finished').click()
  await expect.poll(() => app.cards().count()).toBe(1)

  await stage.stopBroker()
  await stage.startBroker(500_000)
  await app.says('Connected')
  await app.button('Retry violet-julia.jpg').click()
  await app.shows('done', 1)
}, 90_000)

test('a lent tab makes the thumbnails where there is no other worker', async () => {
  await using stage = await Stage.open(theatre, { hasWorker: false })
  // It would tell of whatever else this machine does.
  await stage.context.addInitScript('delete globalThis.PressureObserver')
  const app = await stage.visit()
  await app.choose(photo('alpine-lake.jpg'), photo('foggy-spruces.jpg'))
  await app.shows('accepted', 2)
  await app.button('Yes, it may').click()
  await app.shows('done', 2)
  await app.says('2 tasks done')
  expect(await stage.counts()).toMatchObject({ succeeded: 2 })
}, 90_000)
