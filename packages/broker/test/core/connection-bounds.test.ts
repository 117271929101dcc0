import { expect, test } from 'vitest'
import { World } from './world.ts'

test('[HOST-6] connections are bounded in all, whether they have said hello or not, and one that ends makes room', async () => {
  const world = await World.started({ config: { connectionsMax: 2 } })
  const first = await world.member()
  world.peer()
  const refused = world.peer()
  expect([refused.connection, refused.closedWith]).toEqual([undefined, { code: 4008, reason: 'busy' }])
  first.vanish()
  expect(world.peer().connection).toBeDefined()
})
