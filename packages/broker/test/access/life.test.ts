import { describe, expect, test } from 'vitest'
import { memoryJournal } from '../../src/journal/memory.ts'
import { World } from '../core/world.ts'
import { LIFE_MS, WordyAccess } from './wordy-access.ts'

const DAY_MS = 86_400_000

async function started() {
  const world = new World()
  const access = new WordyAccess(() => world)
  const journal = memoryJournal()
  await world.start({ access, journal })
  return { world, access, journal }
}

describe('[ACCESS-5] the life of a token', () => {
  test('its client is told a minute before the end, and then the connection is closed', async () => {
    const { world } = await started()
    const peer = await world.member({ token: 'ada' })
    expect(peer.of('welcome')[0]?.tokenExpiresInMs).toBe(LIFE_MS)
    await world.advance(LIFE_MS - 60_001)
    expect(peer.of('tokenExpiring')).toEqual([])
    await world.advance(1)
    expect(peer.of('tokenExpiring')).toEqual([{ type: 'tokenExpiring', inMs: 60_000 }])
    await world.advance(59_999)
    expect(peer.closedWith).toBeUndefined()
    await world.advance(1)
    expect(peer.closedWith).toEqual({ code: 4010, reason: 'token_expired' })
    expect(peer.of('error')).toMatchObject([{ code: 'token_expired' }])
  })

  test('a short token is told of at half of its life, and a long one has a long life', async () => {
    const { world, access } = await started()
    access.lifeMs = 10_000
    const short = await world.member({ token: 'ada' })
    access.lifeMs = 90 * DAY_MS
    const long = await world.member({ token: 'eve' })
    await world.advance(5000)
    expect(short.of('tokenExpiring')).toEqual([{ type: 'tokenExpiring', inMs: 5000 }])
    await world.advance(90 * DAY_MS - 5001 - 60_000)
    expect(long.of('tokenExpiring')).toEqual([])
    await world.advance(60_001)
    expect(long.closedWith?.code).toBe(4010)
  })

  test('a new token takes the place of the one before, with its scopes', async () => {
    const { world } = await started()
    const worker = await world.worker(5, ['photos', 'mail'], { token: 'ada work' })
    await world.advance(LIFE_MS - 1000)
    worker.say({ type: 'renew', ref: 7, token: 'ada work:mail' })
    await world.settle()
    expect(worker.of('tokenRenewed')).toEqual([{ type: 'tokenRenewed', ref: 7, expiresInMs: LIFE_MS }])
    await world.advance(60_000)
    expect(worker.closedWith).toBeUndefined()
    const producer = await world.member({ token: 'eve submit' })
    producer.submit(1, [1], 'null', undefined, 'photos')
    producer.submit(2, [2], 'null', undefined, 'mail')
    await world.settle()
    expect(worker.of('deliver').map(({ queue }) => queue)).toEqual(['mail'])
  })

  test('a new token that is not accepted leaves the one before in force', async () => {
    const { world } = await started()
    const peer = await world.member({ token: 'ada submit' })
    peer.say(
      { type: 'renew', ref: 1, token: '' },
      { type: 'renew', ref: 2, token: 'eve' },
      { type: 'renew', ref: 3, token: 'ada broken' },
    )
    await world.settle()
    expect(peer.of('error').map(({ ref, code }) => [ref, code])).toEqual([
      [1, 'unauthorized'],
      [2, 'unauthorized'],
      [3, 'internal'],
    ])
    peer.submit(4, [1])
    await world.settle()
    expect(peer.of('submitted')).toMatchObject([{ ref: 4, refused: [] }])
    await world.advance(LIFE_MS)
    expect(peer.closedWith?.code).toBe(4010)
  })

  test('what was leased stays for the grace window, and the session comes back with a new token', async () => {
    const { world } = await started()
    const producer = await world.member({ token: 'eve submit' })
    const worker = await world.worker(5, ['photos'], { token: 'ada work' })
    producer.submit(1, [1], 'null', { leaseMs: 86_400_000 })
    await world.advance(LIFE_MS)
    expect(worker.closedWith?.code).toBe(4010)
    const again = await world.member({
      token: 'ada work',
      resume: { session: worker.session, leases: [worker.lastLease] },
    })
    expect(again.of('welcome')).toMatchObject([{ resumed: true, lostLeases: [] }])
  })
})

describe('[ACCESS-1] [ACCESS-7] while a token is checked', () => {
  test('what is said waits, in its order, also what came in the frame of the hello', async () => {
    const { world, access } = await started()
    const peer = world.peer()
    peer.say({ type: 'hello', versions: [1], roles: ['producer'], token: 'ada submit late' }, { type: 'ping', ref: 1 })
    peer.submit(2, [1])
    peer.say({ type: 'ping', ref: 3 })
    await world.settle()
    expect(peer.isPaused).toBe(true)
    expect(peer.heard).toEqual([])
    for (const letThrough of access.waiting) letThrough()
    await world.settle()
    expect(peer.heard.map((message) => ('ref' in message ? message.ref : message.type))).toEqual(['welcome', 1, 3, 2])
    expect(peer.isPaused).toBe(false)
  })

  test('no more waits than is bounded', async () => {
    for (const flood of [
      (peer: ReturnType<World['peer']>) => {
        for (let i = 0; i < 17; i += 1) peer.say({ type: 'ping', ref: i })
      },
      (peer: ReturnType<World['peer']>) => peer.submit(1, [1], `"${'x'.repeat(70_000)}"`),
    ]) {
      const { world } = await started()
      const peer = world.peer()
      peer.hello({ token: 'ada late' })
      flood(peer)
      await world.settle()
      expect(peer.closedWith).toEqual({ code: 4000, reason: 'hello_expected' })
    }
  })

  test('a connection that is gone, or that waits too long, is not welcomed later', async () => {
    const { world, access } = await started()
    const gone = world.peer()
    gone.hello({ token: 'ada late' })
    gone.vanish()
    const late = world.peer()
    late.hello({ token: 'eve late' })
    await world.advance(world.host.config.helloTimeoutMs)
    expect(late.closedWith).toEqual({ code: 4003, reason: 'hello_timeout' })
    for (const letThrough of access.waiting) letThrough()
    await world.settle()
    expect([...gone.heard, ...late.of('welcome')]).toEqual([])
    expect(world.host.state.sessions.size).toBe(0)
    expect(world.host.connections.size).toBe(0)
  })

  test('a token that cannot be checked is no fault of its holder', async () => {
    const { world } = await started()
    const peer = world.peer()
    peer.hello({ token: 'ada broken' })
    await world.settle()
    expect(peer.closedWith).toEqual({ code: 4009, reason: 'internal' })
    expect(world.failures).toEqual([])
    const none = world.peer()
    none.hello()
    await world.settle()
    expect(none.closedWith).toEqual({ code: 4001, reason: 'unauthorized' })
  })
})

describe('[ACCESS-6] revocation', () => {
  test('ends what a principal has open, and refuses its tokens until then, after a restart and a compaction too', async () => {
    const { world, access, journal } = await started()
    const [one, two, other] = [
      await world.member({ token: 'ada submit' }),
      await world.member({ token: 'ada work' }),
      await world.member({ token: 'eve submit' }),
    ]
    expect(await world.during(world.api.revoke({ principal: 'ada' }))).toBe(2)
    expect([one.closedWith?.code, two.closedWith?.code, other.closedWith]).toEqual([4001, 4001, undefined])
    expect([...world.host.state.sessions.values()].map(({ owner }) => owner)).toEqual(['eve'])
    const refused = async () => {
      const peer = world.peer()
      peer.hello({ token: 'ada submit' })
      await world.settle()
      return peer.closedWith?.code
    }
    expect(await refused()).toBe(4001)
    world.host.apply({ type: 'checkpoint', restate: [] })
    await world.during(world.host.flushed())
    await world.during(world.host.stop())
    await world.start({ access, journal })
    expect(await refused()).toBe(4001)
    // A token says whole seconds, so that one of the same second counts as issued before.
    world.nowMs += 1
    expect(await refused()).toBeUndefined()
  })

  test('a token that comes while it is revoked does not renew, and ends with the connection', async () => {
    const { world, access } = await started()
    const peer = await world.member({ token: 'ada submit' })
    peer.say({ type: 'renew', ref: 1, token: 'ada submit late' })
    await world.settle()
    await world.during(world.api.revoke({ principal: 'ada' }))
    for (const letThrough of access.waiting) letThrough()
    await world.settle()
    expect(peer.of('tokenRenewed')).toEqual([])
    expect(peer.closedWith?.code).toBe(4001)
  })

  test('of one session, by the id that is shown, which is not the one that resumes it', async () => {
    const { world } = await started()
    const [one, two] = [
      await world.worker(1, ['photos'], { token: 'ada work' }),
      await world.member({ token: 'ada work' }),
    ]
    const shown = world.api.workers({ limit: 100 }).workers[0]?.id as string
    expect(shown).not.toBe(one.session)
    expect(await world.during(world.api.revoke({ session: shown }))).toBe(1)
    expect([one.closedWith?.code, two.closedWith]).toEqual([4001, undefined])
    const back = await world.member({ token: 'ada work', resume: { session: one.session, leases: [] } })
    expect(back.of('welcome')).toMatchObject([{ resumed: false }])
    await expect(world.api.revoke({ session: 'worker-999' })).rejects.toMatchObject({ code: 'unknown_task' })
  })
})
