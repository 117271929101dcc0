import { atLeast, atMost, figure } from '../../figure.ts'
import { SyncDelay, syncDelayObstacle } from '../../torture/sync-delay.ts'
import { Chromium } from '../chromium.ts'
import type { Ground, Trial, TrialResult } from '../trial.ts'

const SAVES = { full: 40, quick: 6 }
const SYNC_MS = 300
/** Other files of the browser are synced now and then, in %. */
const RELAXED_MAX = 50

/**
 * Each sync of the browser's files takes long. An item may be called saved only after one. With relaxed transactions
 * this is not so, which shows that the trial looks at durability.
 */
export const durability: Trial = {
  name: 'durability',
  about: 'the disk syncs slowly: an item is saved after a sync, and with relaxed transactions before',
  run,
}

async function run(ground: Ground): Promise<TrialResult> {
  const obstacle = syncDelayObstacle()
  const configuration = { saves: SAVES[ground.scale], 'ms of a sync': SYNC_MS }
  if (obstacle !== undefined) return { configuration, figures: [], findings: [], obstacle }
  const strict = await shareOfWaiting(ground, false)
  const relaxed = await shareOfWaiting(ground, true)
  ground.say(`durability: ${strict} % of the strict saves waited for a sync, ${relaxed} % of the relaxed ones`)
  const findings: string[] = []
  if (strict < 100) findings.push(`${100 - strict} % of the items were called saved without a sync`)
  if (relaxed > RELAXED_MAX) findings.push(`the control does not show that the trial looks at durability: ${relaxed} %`)
  return {
    configuration,
    figures: [
      figure('saves that waited for a sync', '%', [strict], atLeast(100)),
      figure('the same with relaxed transactions', '%', [relaxed], atMost(RELAXED_MAX)),
    ],
    findings,
  }
}

async function shareOfWaiting({ scale, scratch, site }: Ground, isRelaxed: boolean): Promise<number> {
  const delay = new SyncDelay(scratch)
  const wrapper = ['env', ...Object.entries(delay.env).map(([name, value]) => `${name}=${value}`)]
  await using browser = await Chromium.start(scratch.file(isRelaxed ? 'relaxed' : 'strict'), [], wrapper)
  const page = await browser.open(site.url)
  await page.evaluate((relaxed) => {
    if (relaxed) window.trial.relax()
    window.trial.open()
  }, isRelaxed)
  // The first one makes the database.
  await page.evaluate(() => window.trial.saveMany(1))
  delay.set(SYNC_MS)
  let waited = 0
  for (let save = 0; save < SAVES[scale]; save += 1) {
    const tookMs = await page.evaluate(() => window.trial.saveMany(1))
    if (tookMs >= SYNC_MS) waited += 1
  }
  delay.set(0)
  return (100 * waited) / SAVES[scale]
}
