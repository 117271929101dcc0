import { expect, test } from 'vitest'
import { HeldJournal, World } from './world.ts'

test('[HOST-4] a hand-back waits for no append, and one that a crash undoes is handed back again by its worker', async () => {
  const journal = new HeldJournal()
  const world = await World.started({ journal })
  const producer = await world.member({ roles: ['producer'] })
  const worker = await world.worker(1, ['photos'])
  producer.submit(1, [1])
  await world.advance(1000)
  journal.isHolding = true
  worker.say({ type: 'credit', credit: 0, queues: ['photos'] })
  worker.say({ type: 'release', ref: 2, leases: [worker.lastLease] })
  await world.settle()
  expect([journal.held, worker.of('settled')]).toEqual([0, [{ type: 'settled', ref: 2, refused: [] }]])
  expect(world.api.queues()).toMatchObject([{ ready: 1, leased: 0 }])
  // A crash: the next broker has only what was stored.
  journal.isHolding = false
  await world.start({ journal })
  expect(world.api.queues()).toMatchObject([{ ready: 0, leased: 1 }])
  const again = await world.member({ roles: ['worker'], resume: { session: worker.session, leases: [] } })
  again.say({ type: 'credit', credit: 1, queues: ['photos'] })
  await world.settle()
  expect(again.deliveries.map(({ attempt }) => attempt)).toEqual([1])
})
