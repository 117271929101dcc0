import { rmSync } from 'node:fs'
import { atMost, figure } from '../../figure.ts'
import { sleep } from '../../wait.ts'
import { Chromium } from '../chromium.ts'
import { drained } from '../drained.ts'
import { Tally } from '../tally.ts'
import type { Ground, Trial, TrialResult } from '../trial.ts'

const TABS = 3
const DELAY_MS = [100, 1500] as const
const DRAIN_MS_MAX = 120_000

/**
 * Pages submit without a broker, and the browser is killed at random moments. What a page has seen saved has to be in
 * the outbox of the next browser, and reaches the broker once.
 */
export const killBrowser: Trial = {
  name: 'kill-browser',
  about: 'the browser is killed while its pages submit offline',
  run,
}

async function run({ rounds, random, processes, scratch, site, say }: Ground): Promise<TrialResult> {
  const profile = scratch.file('profile')
  const lost = new Set<string>()
  let present: Set<string> = new Set()
  for (let round = 0; round < rounds; round += 1) {
    await using browser = await Chromium.start(profile)
    const pages = []
    for (let tab = 0; tab < TABS; tab += 1) {
      const page = await browser.open(site.url)
      await page.evaluate(() => window.trial.open())
      pages.push(page)
    }
    present = new Set(await pages[0]!.evaluate(() => window.trial.ids(['saved'])))
    for (const id of site.saved) if (!present.has(id)) lost.add(id)
    for (const [tab, page] of pages.entries())
      await page.evaluate((name) => window.trial.submitForEver(name), `${round}.${tab}`)
    await sleep(DELAY_MS[0] + random() * (DELAY_MS[1] - DELAY_MS[0]))
    await browser.kill()
    say(`kill-browser ${round + 1}/${rounds}: ${site.saved.size} saved, ${lost.size} lost`)
  }
  const tally = await Tally.start(processes, scratch.file('journal.db'))
  await using browser = await Chromium.start(profile)
  const page = await browser.open(site.url)
  await page.evaluate((url) => window.trial.open(url), tally.url)
  await drained(page, DRAIN_MS_MAX)
  for (const id of site.saved) if (!tally.ids.has(id)) lost.add(id)
  const doubles = tally.doubles
  await tally.close()
  await browser.kill()
  rmSync(profile, { recursive: true, force: true })
  const findings = [...[...lost].map((id) => `saved and lost: ${id}`), ...doubles.map((name) => `run twice: ${name}`)]
  return {
    configuration: { rounds, tabs: TABS, 'ms until the kill': DELAY_MS.join(' – ') },
    figures: [
      figure('items seen saved', '', [site.saved.size]),
      figure('saved and lost', '', [lost.size], atMost(0)),
      figure('accepted twice', '', [doubles.length], atMost(0)),
    ],
    findings,
  }
}
