import type { SubmitOptions } from '@sluice/protocol'
import { expect, test } from 'vitest'
import { taskId, World } from './world.ts'

test('[HOST-12] waits for one task are bounded in number as those for many are, and an end makes room', async () => {
  const world = await World.started({ config: { waitersMax: 2 } })
  const producer = await world.member({ roles: ['producer'] })
  producer.submit(1, [1])
  await world.settle()
  const abort = new AbortController()
  const given = world.api.waitForOutcome(taskId(1), 60_000, abort.signal)
  const told = world.api.waitForOutcome(taskId(1), 60_000)
  await expect(world.api.waitForOutcome(taskId(1), 60_000)).rejects.toMatchObject({ code: 'busy' })
  abort.abort()
  await given
  const next = world.api.waitForOutcome(taskId(1), 60_000)
  producer.say({ type: 'cancel', ref: 2, ids: [taskId(1)] })
  await world.during(Promise.all([told, next]))
  expect(world.host.listening).toBe(0)
  // Only the end of the record is left to wait for.
  expect(world.timers).toBe(1)
})

test.each<[string, Parameters<typeof World.started>[0], SubmitOptions]>([
  ['is kept for no time', {}, { resultTtlMs: 0 }],
  ['makes room for others in the moment it ends', { engine: { queueResultsMax: 1 } }, {}],
])('[HTTP-2] whoever waits is told an outcome whose record %s', async (_, bounds, options) => {
  const world = await World.started(bounds)
  const numbers = [1, 2, 3]
  const tasks = numbers.map((n) => ({ id: taskId(n), bytes: new TextEncoder().encode('1') }))
  await world.during(world.api.submit('photos', options, tasks))
  const worker = await world.worker(3, ['photos'])
  const waited = numbers.map((n) => world.api.waitForOutcome(taskId(n), 60_000))
  const [first = 0, second = 0] = worker.deliveries.map(({ lease }) => lease)
  worker.complete(1, first, '"one"')
  worker.complete(2, second, '"two"')
  worker.say({ type: 'cancel', ref: 3, ids: [taskId(3)] })
  const outcomes = await world.during(Promise.all(waited.map(async (outcome) => (await outcome)())))
  const result = (text: string) => ({ bytes: new TextEncoder().encode(text) })
  expect(outcomes).toMatchObject([
    { id: taskId(1), state: 'succeeded', result: result('"one"') },
    { id: taskId(2), state: 'succeeded', result: result('"two"') },
    { id: taskId(3), state: 'cancelled' },
  ])
  expect(world.host.state.tasks.get(taskId(1))).toBeUndefined()
})
