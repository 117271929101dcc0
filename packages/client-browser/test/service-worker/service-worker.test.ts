import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { IncomingMessage } from 'node:http'
import { createBroker, signToken } from '@sluice/broker'
import type { Browser, Page } from 'playwright'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import type { OutboxPage } from '../pages/outbox-page.ts'
import { launchBrowser, serveSite } from '../pages/site.ts'

declare const page: OutboxPage

const SECRET = 'a secret of thirty-two bytes or more, for workers'

let browser: Browser
beforeAll(async () => {
  browser = await launchBrowser()
})
afterAll(() => browser.close())

/** A broker with access control that lets the site's pages in, and the number of submissions that it was asked for. */
async function brokerFor(origin: string) {
  const broker = await createBroker({
    journal: { kind: 'memory' },
    port: 0,
    access: { secret: SECRET },
    allowedOrigins: [origin],
  })
  let submissions = 0
  const count = (message: unknown): void => {
    const { request } = message as { request: IncomingMessage }
    if (request.method === 'POST' && request.socket.localPort === broker.port) submissions += 1
  }
  subscribe('http.server.response.finish', count)
  onTestFinished(async () => {
    unsubscribe('http.server.response.finish', count)
    await broker.close()
  })
  const token = await signToken(SECRET, { sub: 'ada', scope: 'admin' }, 600_000)
  const ready = async (): Promise<number[]> => {
    const response = await fetch(`${broker.httpUrl}/v1/queues`, { headers: { authorization: `Bearer ${token}` } })
    const { queues } = (await response.json()) as { queues: { ready: number }[] }
    return queues.map((queue) => queue.ready)
  }
  return { url: broker.httpUrl, token, ready, submissions: () => submissions }
}

/** A page with the service worker of the site. */
async function openPage(parameters: (origin: string) => Promise<Record<string, string>>): Promise<Page> {
  const { origin, pageUrl } = await serveSite(['outbox-page', 'service-worker'])
  const context = await browser.newContext()
  onTestFinished(() => context.close())
  const tab = await context.newPage()
  await tab.goto(pageUrl)
  const script = `/service-worker.js?${new URLSearchParams(await parameters(origin))}`
  await tab.evaluate((url) => page.install(url), script)
  return tab
}

/** Makes the browser fire `sync`, as it does when the network is back. */
async function syncEvents(tab: Page): Promise<() => Promise<void>> {
  const protocol = await tab.context().newCDPSession(tab)
  const registered = new Promise<string>((resolve) => {
    protocol.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
      const [registration] = registrations
      if (registration !== undefined) resolve(registration.registrationId)
    })
  })
  await protocol.send('ServiceWorker.enable')
  const registrationId = await registered
  const { origin } = new URL(tab.url())
  return async () => {
    await protocol.send('ServiceWorker.dispatchSyncEvent', { origin, registrationId, tag: 'sluice', lastChance: false })
  }
}

test('case 23: a sync and a message at the same time send everything once, while no page has a client', async () => {
  let broker: Awaited<ReturnType<typeof brokerFor>> | undefined
  const tab = await openPage(async (origin) => {
    broker = await brokerFor(origin)
    return { broker: broker.url, 'token-ada': broker.token }
  })
  expect(await tab.evaluate(() => page.save('ada', 'photos', 5))).toEqual(Array(5).fill('saved'))
  await tab.evaluate(() => page.close())
  const sync = await syncEvents(tab)
  const [said] = await Promise.all([tab.evaluate(() => page.drain()), sync(), sync()])
  expect(said).toBe('drained')
  expect(await tab.evaluate(() => page.states())).toEqual(Array(5).fill('accepted'))
  expect(broker?.submissions()).toBe(1)
  expect(await broker?.ready()).toEqual([5])
})

test('a sync event alone drains, and one owner is never sent with the token of another', async () => {
  let broker: Awaited<ReturnType<typeof brokerFor>> | undefined
  const tab = await openPage(async (origin) => {
    broker = await brokerFor(origin)
    return { broker: broker.url, 'token-ada': broker.token }
  })
  await tab.evaluate(() => page.save('bob', 'private', 2))
  await tab.evaluate(() => page.close())
  await tab.evaluate(() => page.save('ada', 'photos', 3))
  await tab.evaluate(() => page.close())
  const sync = await syncEvents(tab)
  await sync()
  await expect.poll(() => tab.evaluate(() => page.states())).toEqual(Array(3).fill('accepted'))
  expect(await broker?.ready()).toEqual([3])
})

test('a tab that sends keeps the service worker waiting, and what is left is told, so that it is tried again', async () => {
  let broker: Awaited<ReturnType<typeof brokerFor>> | undefined
  const tab = await openPage(async (origin) => {
    broker = await brokerFor(origin)
    return { broker: broker.url, 'token-ada': broker.token, waitMs: '200' }
  })
  await tab.evaluate(() => page.save('ada', 'photos', 1))
  expect(await tab.evaluate(() => page.drain())).toBe('the outbox is not empty yet: locked')
  expect(broker?.submissions()).toBe(0)
  await tab.evaluate(() => page.close())
  expect(await tab.evaluate(() => page.drain())).toBe('drained')
  expect(await broker?.ready()).toEqual([1])
})

test('without a token everything is kept, and nothing is tried again and again', async () => {
  const tab = await openPage(async (origin) => {
    const broker = await brokerFor(origin)
    return { broker: broker.url, 'token-ada': 'not a token' }
  })
  await tab.evaluate(() => page.save('ada', 'photos', 1))
  await tab.evaluate(() => page.close())
  expect(await tab.evaluate(() => page.drain())).toBe('drained')
  expect(await tab.evaluate(() => page.states())).toEqual(['saved'])
})

test('registerSync says where there will be no sync event', async () => {
  // This browser has the API, and refuses it.
  const tab = await openPage(async () => ({ broker: 'http://127.0.0.1:9' }))
  expect(await tab.evaluate(() => page.registerSync())).toBe(false)
})
