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
