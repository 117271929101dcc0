import { createBroker } from '@sluice/broker'
import { createClient, createWorker, silentLogger } from '@sluice/client'
import { expect, onTestFinished, test } from 'vitest'
import { servePage } from './page-of-tests.ts'
import { launchRawChromium } from './raw-chromium.ts'

test('case 45: out of memory, an allocation fails the attempt, and a full heap ends the page: each attempt counts', async () => {
  const server = await servePage()
  onTestFinished(() => server.close())
  // So that the heap of a handler Worker is full soon.
  const browser = await launchRawChromium(['--js-flags=--max-old-space-size=64'])
  onTestFinished(() => browser.close())
  const broker = await createBroker({ journal: { kind: 'memory' }, port: 0, engine: { graceMs: 500 } })
  onTestFinished(() => broker.close())
  const client = createClient({ url: broker.url, logger: silentLogger })
  onTestFinished(() => client.close())
  const page = await browser.open(`http://127.0.0.1:${server.port}/index.html?broker=${encodeURIComponent(broker.url)}`)
  const crashed = page.next('Inspector.targetCrashed')
  const bloated = await client.submit('page.bloats', null, { retry: { kind: 'fixed', delayMs: 1, attemptsMax: 3 } })
  // Chromium ends all of a page with the Worker whose heap is full.
  await crashed
  const worker = createWorker({ url: broker.url, handlers: { 'page.bloats': () => 'elsewhere' } })
  onTestFinished(() => worker.close())
  await worker.start()
  expect(await bloated.result()).toBe('elsewhere')
  const { history } = (await (await fetch(`${broker.httpUrl}/v1/tasks/${bloated.id}`)).json()) as { history: object[] }
  expect(history).toMatchObject([
    { attempt: 1, how: 'failed', error: { name: 'RangeError' } },
    { attempt: 2, how: 'session_lost' },
  ])
})
