import { readFileSync } from 'node:fs'
import { defaultScenario, type Scenario } from '@sluice/world'
import { swarm } from '@sluice/world/fuzz'
import { expect, test } from 'vitest'
import { Run } from '../../src/engine/run.ts'
import type { StoryView } from '../../src/view/story-view.ts'
import { troubledScenario } from './troubled-scenario.ts'

async function runOf(scenario: Scenario, untilMs: number, seed = 1): Promise<Run> {
  const run = new Run({ scenario, seed, changes: [] })
  await run.reach(untilMs)
  return run
}

const troubled = await runOf(troubledScenario, 60_000)
const spans = troubled.gantt(0, 60_000).spans
const idsOf = (run: Run): string[] => [
  ...new Set(run.seen.flatMap((seen) => (seen.type === 'submitting' ? [seen.id] : []))),
]
const rulesOf = ({ steps }: StoryView): string[] => steps.map(({ rule }) => rule)

test('an ordinary task is submitted, stored, leased, worked on and answered, in this order', async () => {
  const run = await runOf(defaultScenario, 6000)
  const [id = ''] = idsOf(run)
  const story = run.story(id, 6000)
  expect(story).toMatchObject({ task: '#1', producer: 'producer-1', state: 'succeeded', attempts: 1, runs: 1 })
  expect(rulesOf(story)).toEqual([
    'SUBMIT-2',
    'CLIENT-10',
    'SUBMIT-1',
    'HOST-3',
    'HOST-1',
    'LEASE-1',
    'LEASE-3',
    'CLIENT-8',
    'LEASE-7',
    'CLIENT-5',
    'CLIENT-5',
    'RESULT-1',
    'HOST-1',
    'RESULT-2',
    'RESULT-1',
  ])
  expect(story.steps.every(({ tone }) => tone === 'plain' || tone === 'good')).toBe(true)
  expect(story.steps.map(({ atMs }) => atMs)).toEqual(story.steps.map(({ atMs }) => atMs).sort((a, b) => a - b))
  for (const { text } of story.steps) expect(text).toMatch(/^[a-zA-Z].*\.$/)
})

test('a story told up to an instant is the beginning of the whole one', async () => {
  const run = await runOf(defaultScenario, 6000)
  const [id = ''] = idsOf(run)
  const { steps } = run.story(id, 6000)
  const middleMs = steps[8]?.atMs as number
  const half = run.story(id, middleMs)
  expect(half.state).toBe('leased')
  expect(half.endedAtMs).toBeUndefined()
  expect(half.steps.length).toBeLessThan(steps.length)
  expect(half.steps.map(({ rule }) => rule)).toEqual(rulesOf({ ...half, steps }).slice(0, half.steps.length))
})

test('the task of a worker that crashes: nobody tells the broker, its lease expires, another worker does it', () => {
  const lost = spans.find(({ how }) => how === 'lost')
  const story = troubled.story(lost?.id as string, 60_000)
  const crash = story.steps.find(({ text }) => text.startsWith('worker-1 crashes'))
  expect(crash).toMatchObject({ atMs: 25_000, who: 'worker-1', rule: 'LEASE-5', tone: 'bad', attempt: 1 })
  const after = story.steps.slice(story.steps.indexOf(crash as (typeof story.steps)[number]) + 1)
  expect(after[0]).toMatchObject({ who: 'broker', tone: 'bad' })
  expect(after[0]?.text).toMatch(/^Nobody renewed the lease, so it expires/)
  expect(after.some(({ text }) => /^The broker delivers it to worker-\d as attempt 2/.test(text))).toBe(true)
  expect(story).toMatchObject({ state: 'succeeded', attempts: 2, runs: 2 })
})

test('a worker that slept: a duplicate runs, and the late result is refused', () => {
  const duplicate = spans.find(({ isDuplicate, fromMs }) => isDuplicate && fromMs > 34_000)
  const story = troubled.story(duplicate?.id as string, 60_000)
  expect(story.steps.some(({ text }) => text.includes('a duplicate'))).toBe(true)
  expect(story.steps.at(-1)).toMatchObject({ who: 'broker', rule: 'LEASE-3', tone: 'warn' })
  expect(story.steps.at(-1)?.text).toMatch(/^The broker refuses what worker-2 sent/)
})

test('a full queue: the broker is busy, and the producer submits the task again', () => {
  const busy = idsOf(troubled)
    .slice(380, 450)
    .map((id) => troubled.story(id, 60_000))
    .find(({ steps }) => steps.some(({ rule }) => rule === 'QUEUE-1'))
  const at = busy?.steps.findIndex(({ rule }) => rule === 'QUEUE-1') as number
  expect(busy?.steps[at]?.text).toMatch(/answers “busy”: try again in/)
  expect(busy?.steps[at + 1]?.text).toMatch(/sends the submission again/)
  expect(busy?.steps[at + 1]?.atMs).toBeGreaterThan(busy?.steps[at]?.atMs as number)
})

test('every step of every story names a rule that SPEC.md has, over worlds with faults, tabs and cancellations', async () => {
  const spec = readFileSync(new URL('../../../../SPEC.md', import.meta.url), 'utf8')
  const known = new Set([...spec.matchAll(/\*\*\[([A-Z]+-\d+)\]\*\*/g)].map(([, id]) => id))
  const told = new Set<string>()
  for (const run of [troubled, ...(await Promise.all([3, 4, 5, 8].map((seed) => runOf(swarm(seed), 20_000, seed))))])
    for (const id of idsOf(run)) for (const { rule } of run.story(id, 60_000).steps) told.add(rule)
  expect([...told].filter((rule) => !known.has(rule))).toEqual([])
  expect(told.size).toBeGreaterThan(20)
  // Also those that these worlds happen not to reach.
  const source = ['story-teller', 'story-messages'].map((name) =>
    readFileSync(new URL(`../../src/view/${name}.ts`, import.meta.url), 'utf8'),
  )
  const written = source.flatMap((text) => [...text.matchAll(/'([A-Z]+-\d+)'/g)].map(([, id]) => id as string))
  expect(written.length).toBeGreaterThan(30)
  expect(written.filter((rule) => !known.has(rule))).toEqual([])
})

test('a task that nobody submitted has no story', () => {
  expect(troubled.story('nobody', 60_000)).toMatchObject({
    state: 'submitted',
    attempts: 0,
    steps: [],
    producer: undefined,
  })
})
