import { expect, test } from 'vitest'
import { bytesOf, HeldJournal, taskId, World } from './world.ts'

/** A world in which whatever next asks for a task meets a broken invariant. */
async function broken(journal = new HeldJournal()) {
  const world = await World.started({ journal })
  const peer = await world.member()
  const other = await world.member()
  const wrong = new Error('invariant broken: on purpose')
  const { tasks } = world.host.state
  tasks.get = tasks.holdsNoneOf = () => {
    throw wrong
  }
  return { world, peer, other, wrong }
}

test('[HOST-5] an invariant that a frame finds broken ends what the broker acknowledges, and not its process', async () => {
  const { world, peer, other, wrong } = await broken()
  expect(() => peer.submit(1, [1])).not.toThrow()
  await world.settle()
  expect([peer.closedWith?.code, other.closedWith?.code]).toEqual([4009, 4009])
  expect(peer.of('submitted')).toEqual([])
  expect(world.failures).toEqual([wrong])
  expect(world.api.health()).toMatchObject({ status: 'read_only', reason: wrong.message })
})

test('[HOST-5] an invariant that a request by HTTP finds broken is answered with an error, and ends the same', async () => {
  const { world, peer, wrong } = await broken()
  const asked = world.api.submit('photos', undefined, [{ id: taskId(1), bytes: bytesOf('1') }])
  await expect(world.during(asked)).rejects.toBe(wrong)
  expect(peer.closedWith?.code).toBe(4009)
  expect(world.failures).toEqual([wrong])
})

test('[HOST-5] an invariant that the end of a connection finds broken ends the same', async () => {
  const { world, peer, other, wrong } = await broken()
  world.host.state.graces.push = () => {
    throw wrong
  }
  expect(() => peer.vanish()).not.toThrow()
  expect(other.closedWith?.code).toBe(4009)
  expect(world.failures).toEqual([wrong])
})

test('[HOST-5] an invariant that a socket which has sent all finds broken ends the same', async () => {
  const { world, peer, other, wrong } = await broken()
  peer.connection?.outbound.stall()
  const session = world.host.state.sessions.get(peer.session)
  Object.defineProperty(session, 'subscriptions', {
    get: () => {
      throw wrong
    },
  })
  expect(() => peer.read()).not.toThrow()
  expect(other.closedWith?.code).toBe(4009)
  expect(world.failures).toEqual([wrong])
})

test('[HOST-5] a batch that is written after an invariant broke brings nothing back to life', async () => {
  const journal = new HeldJournal()
  const { world, peer, other, wrong } = await broken(journal)
  journal.isHolding = true
  other.say({ type: 'bye' })
  await world.advance(1000)
  expect(journal.held).toBe(1)
  peer.submit(1, [1])
  journal.release()
  await world.advance(1000)
  expect(world.failures).toEqual([wrong])
  expect(journal.held).toBe(0)
  expect(world.timers).toBe(0)
})
