import { Bodies } from '@sluice/protocol'
import { expect, test } from 'vitest'
import { findingText } from '../src/fuzz/campaign.ts'
import { populated } from '../src/fuzz/examine.ts'
import { Story } from '../src/fuzz/story.ts'
import { defaultScenario, runWorld } from '../src/index.ts'
import type { Observation, Violation } from '../src/observation.ts'

const id = '019b76da-a82a-72ea-ac46-834f6f845439'
const other = '019b76da-a82a-72ea-ac46-834f6f845440'
const violation: Violation = { rule: 'HOST-1', atMs: 5000, message: `task ${id} is gone`, about: { ids: [id] } }

function tell(observations: Observation[], about: Violation = violation): string[] {
  const story = new Story(about)
  for (const observation of observations) story.see(observation)
  return story.lines()
}

const submit = (ids: string[]) =>
  ({ type: 'submit', ref: 1, queue: 'mail', ids, bodies: Bodies.ofTexts(ids.map(() => '1')) }) as const

test('a story names its tasks in short and ends with the violation', () => {
  const told = tell([
    { type: 'submitting', atMs: 1000, node: 'producer-1', id, queue: 'mail', body: 'x', attempt: 1 },
    { type: 'sentToBroker', atMs: 1000, node: 'producer-1', connection: 1, message: submit([other, id]) },
    { type: 'heardByBroker', atMs: 1012, node: 'producer-1', connection: 1, message: submit([other, id]) },
    {
      type: 'sentByBroker',
      atMs: 1020,
      node: 'producer-1',
      connection: 1,
      message: { type: 'submitted', ref: 1, refused: [] },
    },
  ])
  expect(told).toEqual([
    `task A is ${id}`,
    '     1.000 s  producer-1 wants task A done in mail',
    '     1.000 s  producer-1 submits task A to mail (heard 12 ms later)',
    '     1.020 s  the broker tells producer-1 that task A is accepted (never heard)',
    `     5.000 s  VIOLATION of HOST-1: task ${id} is gone`,
  ])
})

test('what concerns other tasks, and what came afterwards, is left out; faults are told', () => {
  const told = tell([
    { type: 'submitting', atMs: 10, node: 'producer-1', id: other, queue: 'mail', body: 'x', attempt: 1 },
    { type: 'faultStarted', atMs: 20, fault: { type: 'crash', node: 'broker', restartAfterMs: 1500 }, number: 1 },
    { type: 'nodeStopped', atMs: 20, node: 'broker', how: 'crashed' },
    { type: 'nodeStopped', atMs: 30, node: 'worker-9', how: 'crashed' },
    { type: 'accepted', atMs: 5001, node: 'producer-1', id },
  ])
  expect(told.slice(1, -1)).toEqual([
    '     0.020 s  FAULT 1: broker crashes and starts again 1.5 s later',
    '     0.020 s  broker crashes',
  ])
})

test('a batch says which task it is about, and whether it became durable', () => {
  const accepted = {
    type: 'tasksAccepted',
    queue: 'mail',
    options: {} as never,
    contentType: undefined,
    watcher: undefined,
    ref: 1,
    index: 0,
    seq: 7,
    body: 0,
    ids: [other, id],
    bytes: [1, 1],
    digests: [1, 2],
    atMs: 0,
  } as const
  const told = tell([
    { type: 'appending', atMs: 10, batch: 3, events: [accepted] },
    { type: 'appended', atMs: 15, batch: 3 },
    { type: 'appending', atMs: 20, batch: 4, events: [{ type: 'taskCancelled', id, forgetAtMs: 1, atMs: 0 }] },
    { type: 'lost', atMs: 30, fromBatch: 4, torn: true },
  ])
  expect(told.slice(1, -1)).toEqual([
    '     0.010 s  batch 3: task A is accepted as number 8 (durable 5 ms later)',
    '     0.020 s  batch 4: task A is cancelled (never durable)',
    '     0.030 s  lost: batches from 4 on, the first one torn',
  ])
})

test('what a falsified message says is told as such', () => {
  const [, line] = tell([
    {
      type: 'sentToBroker',
      atMs: 1,
      node: 'worker-1',
      connection: 2,
      message: { type: 'cancel', ref: 1, ids: [other] },
    },
    { type: 'heardByBroker', atMs: 2, node: 'worker-1', connection: 2, message: { type: 'cancel', ref: 1, ids: [id] } },
  ])
  expect(line).toBe('     0.002 s  falsified on its way: worker-1 asks to cancel task A')
})

test('a story has a page at most: its beginning and, longer, its end', () => {
  const told = tell(
    Array.from({ length: 500 }, (_, at) => ({
      type: at % 2 === 0 ? 'cancelling' : 'accepted',
      atMs: at,
      node: 'producer-1',
      id,
    })),
  )
  expect(told.length).toBeLessThan(70)
  expect(told[1]).toContain('0.000 s')
  expect(told.some((line) => line.includes('… 440 more …'))).toBe(true)
  expect(told.at(-2)).toContain('0.499 s')
})

test('where a violation is about a queue as a whole, the story is that of tasks of it that something happened to just before', async () => {
  const scenario = { ...defaultScenario, durationMs: 20_000 }
  const about = { rule: 'QUEUE-1', atMs: 15_000, message: 'queue mail holds 5 unfinished tasks', about: {} }
  const { about: found, ...same } = await populated(about, { seed: 1, scenario })
  expect(same).toEqual({ rule: about.rule, atMs: about.atMs, message: about.message })
  expect(found.ids).toHaveLength(3)
  const queues = new Map<string, { queue: string; atMs: number }>()
  await runWorld(scenario, 1, {
    onObservation: (seen) => {
      if (seen.type === 'submitting') queues.set(seen.id, { queue: seen.queue, atMs: seen.atMs })
    },
  })
  for (const one of found.ids ?? []) expect(queues.get(one)).toMatchObject({ queue: 'mail' })
  expect(Math.min(...(found.ids ?? []).map((one) => queues.get(one)?.atMs ?? 0))).toBeGreaterThan(5000)
  expect(await populated({ ...about, about: { nodes: ['worker-1'] } }, { seed: 1, scenario })).toMatchObject({
    about: { nodes: ['worker-1'] },
  })
})

test('a finding names the command and the link that show its world again', () => {
  const text = findingText({ seed: 4711, violation: { ...violation, atMs: 3400.125 } })
  expect(text.split('\n').slice(-2)).toEqual([
    'again: pnpm fuzz --seed 4711',
    'open: http://127.0.0.1:5173/simulator/#fuzz=4711&at=3400.125',
  ])
  // The seed alone does not make a world that came from a file.
  expect(findingText({ seed: 4711, violation, isFromFile: true })).not.toContain('4711&at')
})
