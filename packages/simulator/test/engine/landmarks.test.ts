import { expect, test } from 'vitest'
import { Run } from '../../src/engine/run.ts'
import { ganttOf } from '../../src/view/gantt.ts'
import { narrationOf } from '../../src/view/narration.ts'
import { storyOf } from '../../src/view/story.ts'
import { troubledScenario } from '../view/troubled-scenario.ts'

/** Every picture is as if it were made of the whole history. */
function compare(run: Run, atMs: number, before: number): void {
  const seen = run.until(atMs)
  const gantt = run.gantt(atMs - 5000, atMs)
  expect(gantt).toEqual(ganttOf(seen, atMs - 5000, atMs, before))
  expect(run.narration(atMs, 30)).toEqual(narrationOf(seen, atMs, 30, before))
  const { id } = gantt.spans[0] ?? { id: 'nobody' }
  expect(run.story(id, atMs)).toEqual(storyOf(seen, id, before))
}

test('what is told of picked observations is what all of them tell, also after a change', async () => {
  const run = new Run({ scenario: troubledScenario, seed: 1, changes: [] })
  await run.reach(20_000)
  compare(run, 20_000, 0)
  await run.reach(30_000)
  compare(run, 30_000, 0)
  compare(run, 8000, 0)
  run.change(15_000, { type: 'workers', group: 0, count: 2 })
  compare(run, 15_000, 0)
  await run.reach(40_000)
  compare(run, 40_000, 0)
  compare(run, 16_000, 0)
})

test('the same holds for a run that has forgotten its beginning', async () => {
  const run = new Run({ scenario: troubledScenario, seed: 1, changes: [] }, { keptMax: 3000 })
  for (const atMs of [10_000, 24_000, 40_000]) {
    await run.reach(atMs)
    const whole = new Run({ scenario: troubledScenario, seed: 1, changes: [] })
    await whole.reach(atMs)
    const kept = new Set(run.seen.flatMap((seen) => (seen.type === 'submitting' ? [seen.id] : [])))
    const [first] = kept
    const all = whole.seen.flatMap((seen) => (seen.type === 'submitting' ? [seen.id] : []))
    compare(run, atMs, all.indexOf(first as string))
  }
})
