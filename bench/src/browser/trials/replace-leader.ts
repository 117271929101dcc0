import type { Page } from 'playwright'
import { atMost, type Figure, figure } from '../../figure.ts'
import { sleep, until } from '../../wait.ts'
import { Chromium } from '../chromium.ts'
import { drained } from '../drained.ts'
import { Tally } from '../tally.ts'
import type { Ground, Trial, TrialResult } from '../trial.ts'

const TABS = { full: [2, 5], quick: [2] }
const SUBMISSIONS = { full: 1000, quick: 60 }
const HANG_MS = { full: 20_000, quick: 2000 }
const HARMS = { full: 12, quick: 3 }
const DRAIN_MS_MAX = 120_000
const TAKE_OVER_MS_MAX = 60_000

type Harm = 'killed' | 'frozen' | 'hung'
const KINDS: readonly Harm[] = ['killed', 'frozen', 'hung']

/** The tab that sends is killed, frozen or hung again and again while all tabs submit. Another one has to take over. */
export const replaceLeader: Trial = {
  name: 'replace-leader',
  about: 'the tab that sends is killed, frozen or hung',
  run,
}

async function run(ground: Ground): Promise<TrialResult> {
  const figures: Figure[] = []
  const findings: string[] = []
  for (const tabs of TABS[ground.scale]) {
    const { saved, lost, doubles, takeOverMs } = await withTabs(ground, tabs)
    figures.push(
      figure(`${tabs} tabs: items saved`, '', [saved]),
      figure(`${tabs} tabs: saved and lost`, '', [lost.length], atMost(0)),
      figure(`${tabs} tabs: accepted twice`, '', [doubles.length], atMost(0)),
      figure(`${tabs} tabs: kill to next sending tab`, 'ms', takeOverMs, atMost(2000)),
    )
    findings.push(...lost.map((id) => `saved and lost: ${id}`), ...doubles.map((name) => `run twice: ${name}`))
  }
  const { scale } = ground
  return {
    configuration: {
      tabs: TABS[scale].join(', '),
      submissions: SUBMISSIONS[scale],
      harms: HARMS[scale],
      'hung for ms': HANG_MS[scale],
    },
    figures,
    findings,
  }
}

async function withTabs({ scale, random, processes, scratch, site, say }: Ground, count: number) {
  site.saved.clear()
  const tally = await Tally.start(processes, scratch.file(`journal-${count}.db`))
  await using browser = await Chromium.start(scratch.file(`profile-${count}`))
  const tabs = new Set<Page>()
  let made = 0
  const wanted = SUBMISSIONS[scale]
  /** Opens a tab that submits its share. A tab that is killed is replaced. */
  const openTab = async (): Promise<void> => {
    const page = await browser.open(site.url)
    await page.evaluate((url) => window.trial.open(url), tally.url)
    tabs.add(page)
    made += 1
    const share = Math.ceil(wanted / (count + HARMS[scale] / KINDS.length))
    // A tab that is killed takes the rest of its share along.
    void page
      .evaluate(([name, each]) => window.trial.submitEach(name, each), [`${count}.${made}`, share] as const)
      .catch(() => {})
  }
  for (let tab = 0; tab < count; tab += 1) await openTab()
  const takeOverMs: number[] = []
  for (let harm = 0; harm < HARMS[scale]; harm += 1) {
    const leader = await leaderOf(tabs)
    const kind = KINDS[harm % KINDS.length]!
    const startedAt = performance.now()
    if (kind === 'killed') {
      tabs.delete(leader)
      await leader.close()
      await leaderOf(tabs)
      takeOverMs.push(performance.now() - startedAt)
      await openTab()
    } else if (kind === 'frozen') await frozenFor(leader, random() * HANG_MS[scale])
    else await leader.evaluate((ms) => window.trial.hang(ms), HANG_MS[scale])
    await sleep(random() * 500)
    say(`replace-leader, ${count} tabs: ${harm + 1}/${HARMS[scale]} ${kind}`)
  }
  await sleep(HANG_MS[scale])
  const page = await leaderOf(tabs)
  await drained(page, DRAIN_MS_MAX)
  const lost = [...site.saved].filter((id) => !tally.ids.has(id))
  const { doubles, ids } = tally
  await tally.close()
  return { saved: ids.size, lost, doubles, takeOverMs }
}

/** The tab that sends, as soon as one says so. A tab that does not answer is passed over. */
async function leaderOf(tabs: ReadonlySet<Page>): Promise<Page> {
  let leader: Page | undefined
  await until(
    'a tab sends',
    async () => {
      const roles = await Promise.all(
        [...tabs].map(async (page) => {
          const status = page.evaluate(() => window.trial.status())
          const answer = await Promise.race([status.catch(() => undefined), sleep(500)])
          return answer?.role === 'leading' && answer.connection === 'ready' ? page : undefined
        }),
      )
      leader = roles.find((page) => page !== undefined)
      return leader !== undefined
    },
    TAKE_OVER_MS_MAX,
  )
  return leader!
}

async function frozenFor(page: Page, ms: number): Promise<void> {
  const protocol = await page.context().newCDPSession(page)
  await protocol.send('Page.setWebLifecycleState', { state: 'frozen' })
  await sleep(ms)
  await protocol.send('Page.setWebLifecycleState', { state: 'active' })
  await protocol.detach()
}
