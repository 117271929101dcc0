import { startBroker } from '../../broker.ts'
import { atLeast, atMost, figure } from '../../figure.ts'
import { sleep } from '../../wait.ts'
import { Chromium } from '../chromium.ts'
import { LentTab } from '../lent-tab.ts'
import type { Ground, Trial, TrialResult } from '../trial.ts'

/** Chrome slows the timers of a hidden page to one a minute after five minutes; here after this time. */
const GRACE_S = 1
const FLAGS = [`--enable-features=IntensiveWakeUpThrottling:grace_period_seconds/${GRACE_S}`]
const LEASE_MS = { full: 5000, quick: 1000 }
const TASK_MS = { full: 20_000, quick: 2000 }
const PAUSE_MS = 50
/** Ticks a second of a page whose timers are throttled. */
const TICKS_MAX = 2

/** A tab is hidden for long, and the timers of its page are throttled. It keeps its leases and does its work once. */
export const hiddenTab: Trial = {
  name: 'hidden-tab',
  about: 'a lent tab is hidden and throttled for long: it loses no lease and does nothing twice',
  run,
}

async function run({ scale, hiddenMs, processes, scratch, site, say }: Ground): Promise<TrialResult> {
  const { url } = await startBroker(processes, { durability: 'strict', path: scratch.file('journal.db') })
  await using browser = await Chromium.start(scratch.file('profile'), FLAGS)
  await using tab = await LentTab.open(browser, site.url, url, true)
  const { page } = tab
  const protocol = await page.context().newCDPSession(page)
  const { windowId } = await protocol.send('Browser.getWindowForTarget')
  await protocol.send('Browser.setWindowBounds', { windowId, bounds: { windowState: 'minimized' } })
  await page.waitForFunction(() => document.visibilityState === 'hidden', null, { polling: 100 })
  await sleep(GRACE_S * 1000)
  const startedAt = performance.now()
  const before = await page.evaluate(() => window.tab.ticks().length)
  let tasks = 0
  let twice = 0
  while (performance.now() - startedAt < hiddenMs) {
    const task = await tab.client.submit('wait', { ms: TASK_MS[scale] }, { leaseMs: LEASE_MS[scale] })
    await task.result()
    tasks += 1
    if ((await task.status()).attempts !== 1) twice += 1
    say(`hidden-tab: ${tasks} tasks in ${Math.round((performance.now() - startedAt) / 1000)} s, ${twice} of them twice`)
    await sleep(PAUSE_MS)
  }
  const tookMs = performance.now() - startedAt
  const ticks = (await page.evaluate(() => window.tab.ticks().length)) - before
  const { lost } = await page.evaluate(() => window.tab.stats())
  await protocol.detach()
  const ticksASecond = ticks / (tookMs / 1000)
  const findings: string[] = []
  if (lost > 0) findings.push(`${lost} leases were lost`)
  if (twice > 0) findings.push(`${twice} tasks were done twice`)
  if (ticksASecond > TICKS_MAX)
    findings.push(`the control shows that the page was not throttled: ${ticksASecond} ticks/s`)
  return {
    configuration: { 'hidden for ms': Math.round(tookMs), 'lease, ms': LEASE_MS[scale], 'a task, ms': TASK_MS[scale] },
    figures: [
      figure('tasks done while hidden', '', [tasks], atLeast(1)),
      figure('leases lost', '', [lost], atMost(0)),
      figure('tasks done twice', '', [twice], atMost(0)),
      figure('ticks of the page a second, of a control: 20 when it is shown', '/s', [ticksASecond], atMost(TICKS_MAX)),
    ],
    findings,
  }
}
