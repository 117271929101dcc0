import { startBroker } from '../../broker.ts'
import { atMost, figure } from '../../figure.ts'
import { sleep, until } from '../../wait.ts'
import { Chromium } from '../chromium.ts'
import { LentTab } from '../lent-tab.ts'
import type { Ground, Trial, TrialResult } from '../trial.ts'

const LEASE_MS = { full: 3000, quick: 1000 }
/** How long the task of the tab still takes when the tab is frozen. */
const LEFT_MS = 500
const REFUSED_MS_MAX = 60_000
/** How long the control looks at a frozen page. */
const LOOK_MS = 300
const REFUSALS = ['lease_lost', 'expired', 'session_lost']

type Kind = 'frozen by Chrome' | 'stopped by a signal'

/**
 * A tab that is frozen in the middle of a task, and is told nothing of it, loses its lease. The work runs elsewhere, and
 * the tab's late result is refused by name.
 */
export const frozenTab: Trial = {
  name: 'frozen-tab',
  about: 'a lent tab is frozen in the middle of a task: it runs elsewhere, and the late result is refused',
  run,
}

async function run({ scale, rounds, processes, scratch, site, say }: Ground): Promise<TrialResult> {
  const { url } = await startBroker(processes, { durability: 'strict', path: scratch.file('journal.db') })
  const leaseMs = LEASE_MS[scale]
  const elsewhereMs: number[] = []
  const findings: string[] = []
  let refused = 0
  let ticks = 0
  const kinds: Kind[] = ['frozen by Chrome', 'stopped by a signal']
  for (let round = 0; round < rounds; round += 1) {
    for (const kind of kinds) {
      await using browser = await Chromium.start(scratch.file(`profile-${round}-${kinds.indexOf(kind)}`))
      await using tab = await LentTab.open(browser, site.url, url, false)
      const task = await tab.begun(LEFT_MS, leaseMs)
      const startedAt = performance.now()
      const freeze = kind === 'frozen by Chrome' ? await frozen(tab) : await stopped(browser)
      await tab.workElsewhere()
      const result = await task.result()
      elsewhereMs.push(performance.now() - startedAt)
      ticks += await freeze.ticks()
      await freeze.end()
      await tab.leaveElsewhere()
      if (result !== 'elsewhere') findings.push(`${kind}: the result is of ${JSON.stringify(result)}`)
      if (await isRefused(tab)) refused += 1
      else findings.push(`${kind}: the late result was not refused by name`)
      const { attempts } = await task.status()
      if (attempts !== 2) findings.push(`${kind}: ${attempts} attempts instead of 2`)
      say(`frozen-tab ${round + 1}/${rounds} ${kind}: ran elsewhere after ${Math.round(elsewhereMs.at(-1)!)} ms`)
    }
  }
  if (ticks > 0) findings.push(`the control shows that the page was not frozen: ${ticks} ticks`)
  const freezes = rounds * kinds.length
  return {
    configuration: { freezes, 'lease, ms': leaseMs },
    figures: [
      // The outcome takes its way, too.
      figure('from the freeze to the outcome of elsewhere', 'ms', elsewhereMs, atMost(leaseMs + 500)),
      figure('late results that were not refused by name', '', [freezes - refused], atMost(0)),
      figure('ticks of a frozen page, of a control', '', [ticks], atMost(0)),
    ],
    findings,
  }
}

interface Freeze {
  /** How often timers of the page ran while one looked. */
  ticks(): Promise<number>
  end(): Promise<void>
}

/** What Chrome does to a page in the background. */
async function frozen({ page }: LentTab): Promise<Freeze> {
  const protocol = await page.context().newCDPSession(page)
  await protocol.send('Page.setWebLifecycleState', { state: 'frozen' })
  const count = async (): Promise<number> => {
    const { result } = await protocol.send('Runtime.evaluate', { expression: 'tab.ticks().length' })
    return result.value as number
  }
  return {
    ticks: async () => {
      const before = await count()
      await sleep(LOOK_MS)
      return (await count()) - before
    },
    end: async () => {
      await protocol.send('Page.setWebLifecycleState', { state: 'active' })
      await protocol.detach()
    },
  }
}

/** What a device does that sleeps: nothing of the page runs, not even a Worker. Such a page cannot be looked at. */
async function stopped(browser: Chromium): Promise<Freeze> {
  const goOn = await browser.stopRenderers()
  return { ticks: async () => 0, end: async () => goOn() }
}

/** Whether the tab hears, after its freeze, that its lease is lost. */
async function isRefused({ page }: LentTab): Promise<boolean> {
  try {
    await until(
      'the late result is refused',
      () =>
        page.evaluate(
          (names) => window.tab.stats().lost === 1 && window.tab.codes().some((code) => names.includes(code)),
          REFUSALS,
        ),
      REFUSED_MS_MAX,
    )
    return true
  } catch {
    return false
  }
}
