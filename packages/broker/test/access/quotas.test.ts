import { describe, expect, test } from 'vitest'
import { signToken } from '../../src/access/tokens.ts'
import { addressGroup } from '../../src/core/access/address-group.ts'
import { DEFAULT_QUOTAS, type QuotaConfig, Quotas } from '../../src/core/access/quotas.ts'
import { Scopes } from '../../src/core/access/scopes.ts'
import { createBroker } from '../../src/index.ts'
import { SocketPeer } from '../adapters/socket-peer.ts'
import { taskId, World } from '../core/world.ts'
import { WordyAccess } from './wordy-access.ts'

const SECRET = 'a secret of thirty-two bytes or so, or more'

async function started(quotas: Partial<QuotaConfig>, engine = {}): Promise<World> {
  const world = new World()
  await world.start({ access: new WordyAccess(() => world), quotas, engine })
  return world
}

describe('[ACCESS-10] connections', () => {
  test('of a principal are bounded; one that ends makes room, and others are not touched', async () => {
    const world = await started({ principalConnectionsMax: 2 })
    const first = await world.member({ token: 'ada' })
    await world.member({ token: 'ada' })
    const third = world.peer()
    third.hello({ token: 'ada' })
    await world.settle()
    expect(third.closedWith).toEqual({ code: 4008, reason: 'busy' })
    expect(third.of('error')).toMatchObject([
      { code: 'busy', field: 'principal', limit: 2, message: expect.stringContaining('principalConnectionsMax') },
    ])
    await world.member({ token: 'eve' })
    first.vanish()
    await world.member({ token: 'ada' })
  })

  test('one that takes up its own session again needs no room', async () => {
    const world = await started({ principalConnectionsMax: 1 })
    const first = await world.member({ token: 'ada' })
    const again = await world.member({ token: 'ada', resume: { session: first.session, leases: [] } })
    expect(first.closedWith?.code).toBe(4005)
    again.vanish()
    await world.member({ token: 'ada' })
  })

  test('of an address are bounded, and so are those of them that have not said hello', async () => {
    const world = await started({ addressConnectionsMax: 3, addressPendingMax: 2 })
    const from = (address: string) => {
      const peer = world.peer('binary', address)
      return { peer, code: peer.closedWith?.code }
    }
    const [one, two, tooManyPending] = [from('192.0.2.1'), from('192.0.2.1'), from('192.0.2.1')]
    expect([one.code, two.code, tooManyPending.code]).toEqual([undefined, undefined, 4008])
    for (const { peer } of [one, two]) peer.hello({ token: 'ada' })
    await world.settle()
    expect([from('192.0.2.1').code, from('192.0.2.1').code, from('192.0.2.2').code]).toEqual([
      undefined,
      4008,
      undefined,
    ])
    one.peer.vanish()
    expect(from('192.0.2.1').code).toBeUndefined()
  })

  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8:1:2::9', '2001:db8:1:2'],
    ['2001:0db8::1', '2001:db8:0:0'],
    ['::1', '0:0:0:0'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
    ['', ''],
  ])('%s counts as %s', (address, group) => {
    expect(addressGroup(address)).toBe(group)
  })
})

describe('[ACCESS-10] submissions', () => {
  test('a second are bounded in number, and the wait that is told is enough', async () => {
    const world = await started({ principalSubmitsPerSecond: 10 })
    const peer = await world.member({ token: 'ada submit' })
    const other = await world.member({ token: 'eve submit' })
    peer.submit(1, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15])
    peer.submit(2, [16, 17])
    other.submit(1, [20])
    await world.settle()
    const [first, second] = peer.of('submitted')
    expect(first?.refused).toEqual([])
    expect(second?.refused).toMatchObject([
      { index: 0, error: { code: 'busy', field: 'principal', message: expect.stringContaining('SubmitsPerSecond') } },
      { index: 1, error: { code: 'busy', limit: 10 } },
    ])
    expect(other.of('submitted')[0]?.refused).toEqual([])
    await world.advance(second?.refused[0]?.error.retryAfterMs as number)
    peer.submit(3, [16, 17])
    await world.settle()
    expect(peer.of('submitted')[2]?.refused).toEqual([])
  })

  test('a second are bounded in bytes', async () => {
    const world = await started({ principalBytesPerSecond: 1000 })
    const peer = await world.member({ token: 'ada submit' })
    peer.submit(1, [1], `"${'x'.repeat(2000)}"`)
    peer.submit(2, [2])
    await world.settle()
    expect(peer.of('submitted').map(({ refused }) => refused.length)).toEqual([0, 1])
    expect(peer.of('submitted')[1]?.refused[0]?.error).toMatchObject({ limit: 1000, retryAfterMs: 1003 })
  })

  test('that are unfinished are bounded, over HTTP too', async () => {
    const broker = await createBroker({
      journal: { kind: 'memory' },
      port: 0,
      access: { secret: SECRET },
      engine: { principalTasksMax: 1 },
    })
    const token = await signToken(SECRET, { sub: 'ada', scope: 'submit' }, 60_000)
    const submit = (n: number) =>
      fetch(`${broker.httpUrl}/v1/tasks`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: JSON.stringify({ queue: `queue-${n}`, id: taskId(n), body: 1 }),
      })
    expect((await submit(1)).status).toBe(202)
    const refused = await submit(2)
    expect([refused.status, Number(refused.headers.get('retry-after'))]).toEqual([429, expect.any(Number)])
    expect(await refused.json()).toMatchObject({ error: { code: 'busy', field: 'principal', limit: 1 } })
    await broker.close()
  })
})

test('[ACCESS-10] the credit of all workers of a principal is bounded; what is refused leaves the earlier one in force', async () => {
  const world = await started({ principalCreditMax: 10 })
  const [one, two] = [
    await world.worker(4, ['q'], { token: 'ada work' }),
    await world.worker(6, ['q'], { token: 'ada work' }),
  ]
  one.say({ type: 'credit', credit: 5, queues: ['q'] })
  await world.settle()
  expect(one.of('error')).toMatchObject([{ code: 'busy', field: 'principal', limit: 10 }])
  expect(world.api.workers({ limit: 10 }).workers.map(({ credit }) => credit)).toEqual([4, 6])
  two.vanish()
  one.say({ type: 'credit', credit: 10, queues: ['q'] })
  await world.settle()
  expect(one.of('error')).toHaveLength(1)
  expect(world.api.workers({ limit: 10 }).workers[0]?.credit).toBe(10)
})

test('[ACCESS-10] requests that wait are bounded for each principal, and the next one is told when to come back', async () => {
  const broker = await createBroker({
    journal: { kind: 'memory' },
    port: 0,
    access: { secret: SECRET },
    quotas: { principalWaitsMax: 1 },
  })
  const token = await signToken(SECRET, { sub: 'ada', scope: 'submit work' }, 60_000)
  const other = await signToken(SECRET, { sub: 'eve', scope: 'read' }, 60_000)
  const peer = await SocketPeer.welcomed(broker.url, { token })
  const ask = (path: string, bearer: string, init: RequestInit = {}) =>
    fetch(`${broker.httpUrl}${path}`, {
      ...init,
      headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
    })
  const body = JSON.stringify({ queue: 'q', id: taskId(1), body: 1 })
  expect((await ask('/v1/tasks', token, { method: 'POST', body })).status).toBe(202)
  const leave = new AbortController()
  const path = `/v1/tasks/${taskId(1)}?waitMs=60000`
  const waits = [ask(path, token, { signal: leave.signal }), ask(path, token, { signal: leave.signal })]
  const refused = await Promise.race(waits)
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1'])
  expect(await refused.json()).toMatchObject({
    error: { field: 'principal', message: expect.stringContaining('principalWaitsMax') },
  })
  const others = ask(path, other)
  peer.say({ type: 'credit', credit: 1, queues: ['q'] })
  const { leases } = await peer.until('deliver')
  peer.say({
    type: 'fail',
    ref: 1,
    failures: [{ lease: leases[0] as number, error: { message: '' }, retryable: false }],
  })
  expect((await others).status).toBe(200)
  expect((await Promise.all(waits)).map(({ status }) => status).sort()).toEqual([200, 429])
  peer.socket.terminate()
  await broker.close()
})

test('principals that use nothing any more are forgotten', () => {
  let nowMs = 0
  const quotas = new Quotas(DEFAULT_QUOTAS, () => nowMs)
  const principal = (n: number) => ({ id: `p${n}`, scopes: new Scopes(''), issuedAtMs: 0, expiresAtMs: 0 })
  for (let n = 0; n < 5000; n += 1) {
    expect(quotas.submit(principal(n), 1, 1)).toBeUndefined()
    nowMs += 100
  }
  expect(quotas.remembered).toBeLessThanOrEqual(1000)
})
