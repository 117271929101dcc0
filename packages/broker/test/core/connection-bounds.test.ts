import { expect, test } from 'vitest'
import { World } from './world.ts'

test('[HOST-6] connections are bounded in all, and one that ends makes room', async () => {
  const world = await World.started({ config: { connectionsMax: 2 } })
  const first = await world.member()
  await world.member()
  const refused = world.peer()
  expect([refused.connection, refused.closedWith]).toEqual([undefined, { code: 4008, reason: 'busy' }])
  first.vanish()
  expect(world.peer().connection).toBeDefined()
})
