import { createClient } from '@sluice/client'
import { startBroker } from '../../broker.ts'
import { atLeast, atMost, figure } from '../../figure.ts'
import { Chromium } from '../chromium.ts'
import type { Ground, Trial, TrialResult } from '../trial.ts'

const ITEMS = { full: 5000, quick: 300 }
const OPENED = { full: 10_000, quick: 600 }
const REPETITIONS = { full: 5, quick: 1 }
/** The best loop by hand takes one transaction for many items. */
const BY_HAND = [1, 100, 1000] as const

/** Saving offline against a loop by hand, sending against the client in Node, and opening a full outbox. */
export const speed: Trial = {
  name: 'speed',
  about: 'saving, sending and opening, against the best that a hand-written page or Node does',
  run,
}

async function run({ scale, processes, scratch, site, say }: Ground): Promise<TrialResult> {
  const items = ITEMS[scale]
  const { url } = await startBroker(processes, { durability: 'strict', path: scratch.file('journal.db') })
  const saved: number[] = []
  const saving: number[] = []
  const sent: number[] = []
  const sending: number[] = []
  for (let repetition = 0; repetition < REPETITIONS[scale]; repetition += 1) {
    await using browser = await Chromium.start(scratch.file(`profile-${repetition}`))
    const page = await browser.open(site.url)
    const handMs: number[] = []
    for (const each of BY_HAND)
      handMs.push(await page.evaluate(([count, of]) => window.trial.saveByHand(count, of), [items, each] as const))
    await page.evaluate(() => window.trial.open())
    const ourMs = await page.evaluate((count) => window.trial.saveMany(count), items)
    await page.evaluate(() => window.trial.close())
    saved.push(items / (ourMs / 1000))
    saving.push((100 * Math.min(...handMs)) / ourMs)
    const nodeMs = await submittedByNode(url, items)
    const pageMs = await page.evaluate(([broker, count]) => window.trial.sendAll(broker, count), [url, items] as const)
    sent.push(items / (pageMs / 1000))
    sending.push((100 * nodeMs) / pageMs)
    say(`speed ${repetition + 1}: saved at ${Math.round(saving.at(-1)!)} %, sent at ${Math.round(sending.at(-1)!)} %`)
  }
  await using browser = await Chromium.start(scratch.file('profile-full'))
  const page = await browser.open(site.url)
  await page.evaluate(() => window.trial.open())
  await page.evaluate((count) => window.trial.saveMany(count), OPENED[scale])
  const opened: number[] = []
  for (let repetition = 0; repetition < REPETITIONS[scale]; repetition += 1)
    opened.push(await page.evaluate(() => window.trial.firstPaint()))
  return {
    configuration: {
      items,
      'by hand, items a transaction': BY_HAND.join(', '),
      'items in the opened outbox': OPENED[scale],
    },
    figures: [
      figure('saved offline', 'items/s', saved),
      figure('saved, of the best loop by hand', '%', saving, atLeast(50)),
      figure('sent', 'items/s', sent),
      figure('sent, of the client in Node', '%', sending, atLeast(50)),
      figure('outbox opened to its first paint', 'ms', opened, atMost(200)),
    ],
    findings: [],
  }
}

/** How long the client in Node takes for the same number of submissions to the same broker, in ms. */
async function submittedByNode(url: string, items: number): Promise<number> {
  const client = createClient({ url })
  await client.submit('trial', 'warm')
  const startedAt = performance.now()
  await Promise.all(Array.from({ length: items }, (_, n) => client.submit('trial', { tab: 'node', n })))
  const tookMs = performance.now() - startedAt
  await client.close()
  return tookMs
}
