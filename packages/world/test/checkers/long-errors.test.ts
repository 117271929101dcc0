import { createState, type Event, engineConfig, evolve, type State } from '@sluice/engine'
import { expect, test } from 'vitest'
import { DeadLetters } from '../../src/checkers/dead-letters.ts'
import { accepted, died, failed, granted, opened, Stream } from './stream.ts'

/** A task that failed twice: what is said where its dead letter is held with these messages of its errors. */
function letter(...held: (string | undefined)[]): string[] {
  const attempt = (number: number, message: string) =>
    ({ attempt: number, endedAtMs: 0, how: 'failed', error: { message } }) as const
  const events: Event[] = [
    ...opened('worker-1'),
    accepted('t1', { retry: { attemptsMax: 2 } }),
    granted('worker-1', 1, 't1'),
    { ...failed('t1', 1), attempt: attempt(1, 'first') },
    granted('worker-1', 2, 't1'),
    died('t1', 'attempts_exhausted', attempt(2, 'second')),
  ]
  const stream = new Stream((sources) => new DeadLetters(sources))
  const state: State = createState(engineConfig())
  for (const event of events) evolve(state, event)
  const task = state.tasks.get('t1')
  if (task) {
    const history = task.past.history.map(({ error: _, ...rest }, i) => {
      const message = held[i]
      return message === undefined ? rest : { ...rest, error: { message } }
    })
    task.past = { ...task.past, history }
  }
  stream.state = state
  return stream.append(...events).said
}

test('[DEAD-2] the errors of old attempts may go where they are long, those that stay are as they were', () => {
  expect(letter('first', 'second')).toEqual([])
  expect(letter(undefined, 'second')).toEqual([])
  expect(letter('another', 'second')).toHaveLength(1)
  expect(letter('first', undefined)).toHaveLength(1)
})
