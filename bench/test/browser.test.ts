import { expect, test } from 'vitest'
import { browserTrials } from '../src/browser/browser.ts'
import { trials } from '../src/browser/trials/index.ts'

/** What a trial must have met in number, so that its zeros mean something. */
const metWithin: Record<string, string> = {
  'kill-browser': 'items seen saved',
  'replace-leader': '2 tabs: items saved',
  'hidden-tab': 'tasks done while hidden',
  'frozen-tab': 'from the freeze to the outcome of elsewhere',
  speed: 'saved offline',
  durability: 'saves that waited for a sync',
}

test.each(trials)('$about: nothing that was saved is lost or done twice', { timeout: 180_000 }, async (trial) => {
  const lines: string[] = []
  const options = { trials: [trial], rounds: 1, seed: 1, scale: 'quick', hiddenMs: 3000 } as const
  const ignore = (): void => {}
  const [result] = await browserTrials(options, (line) => lines.push(line), ignore)
  // A machine without a C compiler cannot slow the syncs of a browser.
  if (result!.obstacle !== undefined) return
  expect(result!.findings).toEqual([])
  expect(lines.join()).toContain(trial.name)
  const met = result!.figures.find(({ name }) => name === metWithin[trial.name])
  expect(met?.median).toBeGreaterThan(0)
})
