import { createState, type Event, engineConfig, evolve, recordOf, type Task, type TaskRecord } from '@sluice/engine'
import { expect, test } from 'vitest'
import { Recoveries } from '../../src/checkers/recoveries.ts'
import { accepted, cancelled, failed, granted, opened, released, Stream, sessionOf } from './stream.ts'

const session = sessionOf('worker-1')
const progress: Event = { type: 'progressReported', id: 't1', progress: 7, atMs: 0 }
const watched: Event = { type: 'taskWatched', id: 't1', session, atMs: 0 }
const all: Event[] = [
  ...opened('worker-1'),
  accepted('t1'),
  granted('worker-1', 1, 't1'),
  progress,
  released('t1'),
  granted('worker-1', 2, 't1'),
  failed('t1', 1, 0, 'lease_expired'),
  watched,
]

/** What is said where all of these were written, and those were taken up. */
function recovered(taken: readonly Event[], written: readonly Event[] = all): string[] {
  const stream = new Stream((sources) => new Recoveries(sources)).append(...written)
  stream.state = createState(engineConfig())
  for (const event of taken) evolve(stream.state, event)
  return stream.recover().said
}

test('[HOST-14] a start takes up what was written', () => {
  expect(recovered(all)).toEqual([])
  const over: Event[] = [...all, cancelled('t1')]
  expect(recovered(over, over)).toEqual([])
  // Whoever has left watches nothing.
  const left: Event[] = [...all, { type: 'sessionClosed', session, atMs: 0 }]
  expect(recovered(left, left)).toEqual([])
  const unwatched: Event[] = [...all, { type: 'taskUnwatched', id: 't1', session, atMs: 0 }]
  expect(recovered(unwatched, unwatched)).toEqual([])
})

test('[HOST-14] and nothing else', () => {
  const without = (...left: Event[]) => recovered(all.filter((event) => !left.includes(event)))
  const [, , , , , handedBack, , lost] = all as [Event, Event, Event, Event, Event, Event, Event, Event]
  const wrong = (what: string, is: unknown, was: unknown) =>
    `a start took up ${what} of task t1 as ${JSON.stringify(is)}, and written was ${JSON.stringify(was)}`
  expect(without(progress)).toEqual([wrong('the progress', undefined, 7)])
  expect(without(watched)).toEqual([wrong('the watchers', [], [session])])
  expect(without(lost)).toEqual([wrong('the state', 'leased', 'ready'), wrong('the history', [], ['1 lease_expired'])])
  const again = all.filter((event) => event !== handedBack)
  again.splice(again.indexOf(progress) + 1, 1)
  expect(recovered(again)).toEqual([wrong('the hand-backs', 0, 1)])
  const named = {
    ...lost,
    attempt: { attempt: 1, endedAtMs: 0, how: 'lease_expired', error: { message: 'no' } },
  } as Event
  expect(recovered(all.map((event) => (event === lost ? named : event)))).toEqual([
    wrong('the last error', 'no', undefined),
  ])
})

test('[HOST-15] compaction writes a task anew as it was', () => {
  const restated = (over: Partial<TaskRecord> = {}) => {
    const state = createState(engineConfig())
    for (const event of all) evolve(state, event)
    const task = { ...recordOf(state.tasks.get('t1') as Task), ...over }
    const stream = new Stream((sources) => new Recoveries(sources)).append(...all)
    return stream.append({ type: 'taskRestated', task, atMs: 0 }).said
  }
  expect(restated()).toEqual([])
  expect(restated({ history: [] })).toEqual([
    'compaction wrote the history of task t1 as [], and written was ["1 lease_expired"]',
  ])
  for (const over of [{ releases: 0 }, { attempts: 0 }, { progress: undefined }, { watchers: [] }])
    expect(restated(over), JSON.stringify(over)).toHaveLength(1)
})
