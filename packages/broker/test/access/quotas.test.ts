import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { Bodies } from '@sluice/protocol'
import { describe, expect, test, vi } from 'vitest'
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

test('[ACCESS-10] a principal that looks up too much is read more slowly, and so is one that submits too much', async () => {
  const world = await started({ principalLookUpsPerSecond: 10, principalSubmitsPerSecond: 10 })
  const peer = await world.member({ token: 'ada submit' })
  const other = await world.member({ token: 'eve submit' })
  const ids = Array.from({ length: 30 }, (_, n) => taskId(n))
  for (const ask of [
    { type: 'query', ref: 1, ids },
    { type: 'watch', ref: 2, ids },
    { type: 'cancel', ref: 3, ids },
  ] as const) {
    expect(peer.isPaused).toBe(false)
    peer.say(ask)
    await world.settle()
    expect([peer.isPaused, other.isPaused]).toEqual([true, false])
    await world.advance(10_000)
  }
  expect([peer.of('status').length, peer.of('watched').length, peer.of('cancelled').length]).toEqual([1, 1, 1])
  peer.submit(4, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
  expect(peer.isPaused).toBe(false)
  peer.submit(5, [12])
  expect(peer.isPaused).toBe(true)
  await world.advance(1000)
  expect(peer.isPaused).toBe(false)
  peer.say({ type: 'query', ref: 6, ids })
  peer.vanish()
  await world.advance(10_000)
  expect(peer.isPaused).toBe(true)
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

describe('[ACCESS-10] [HOST-10] what is not read', () => {
  const ids = Array.from({ length: 1000 }, (_, n) => taskId(n))

  test('keeps a connection from asking for more, and reading it lifts that; the rest of its session goes on', async () => {
    const world = new World()
    await world.start({ access: new WordyAccess(() => world), config: { sendBufferBytesHigh: 100_000 } })
    const peer = await world.worker(1, ['photos'], { token: 'ada submit work', roles: ['producer', 'worker'] })
    peer.isSlow = true
    const ask = async (ref: number) => {
      peer.say({ type: 'query', ref, ids })
      await world.settle()
    }
    for (const ref of [1, 2, 3]) await ask(ref)
    const answered = peer.of('status').length
    expect(answered).toBeLessThan(3)
    expect(peer.of('error').at(-1)).toMatchObject({
      code: 'busy',
      ref: 3,
      limit: 100_000,
      message: expect.stringContaining('sendBufferBytesHigh'),
    })
    peer.say({ type: 'heartbeat', ref: 4, leases: [] })
    await world.settle()
    expect(peer.of('renewed')).toHaveLength(1)
    peer.read()
    await ask(5)
    expect(peer.of('status')).toHaveLength(answered + 1)
  })

  test('is bounded over all connections of a principal: past that each may have little unread, and others are not touched', async () => {
    const world = await started({ principalUnreadBytesMax: 200_000 })
    const slow = async (token: string) => {
      const peer = await world.member({ token })
      peer.isSlow = true
      peer.say({ type: 'query', ref: 1, ids }, { type: 'query', ref: 1, ids })
      await world.settle()
      return peer
    }
    const asksAgain = async (peer: Awaited<ReturnType<typeof slow>>) => {
      const before = peer.of('status').length
      peer.say({ type: 'query', ref: 2, ids })
      await world.settle()
      return peer.of('status').length > before
    }
    const own = [await slow('ada'), await slow('ada'), await slow('ada'), await slow('ada')]
    const other = await slow('eve')
    expect(own.reduce((sum, { bufferedBytes }) => sum + bufferedBytes, 0)).toBeGreaterThan(200_000)
    expect(await asksAgain(own[0]!)).toBe(false)
    expect(await asksAgain(other)).toBe(true)
    own[1]!.read()
    own[3]!.read()
    own[2]!.vanish()
    expect(await asksAgain(own[0]!)).toBe(true)
  })
})

/** A broker with real sockets, and tokens for it. */
async function served(config: Parameters<typeof createBroker>[0]) {
  const broker = await createBroker({ journal: { kind: 'memory' }, port: 0, access: { secret: SECRET }, ...config })
  return { broker, token: (sub: string) => signToken(SECRET, { sub, scope: 'submit read' }, 60_000) }
}

test('[ACCESS-10] [RESULT-6] watches of a principal are bounded over all its connections', async () => {
  const { broker, token } = await served({ engine: { principalWatchesMax: 3 } })
  const ids = [taskId(1), taskId(2)]
  const bodies = Bodies.ofTexts(['1', '2'])
  const submitter = await SocketPeer.welcomed(broker.url, { token: await token('bob') })
  const options = { delayMs: 60_000 }
  await submitter.answers({ type: 'submit', ref: 1, queue: 'q', watch: false, ids, bodies, options })
  const peers = [submitter]
  const refusalsFor = async (sub: string) => {
    const peer = await SocketPeer.welcomed(broker.url, { token: await token(sub) })
    peers.push(peer)
    return (await peer.answers({ type: 'watch', ref: 1, ids })).filter(({ type }) => type === 'error')
  }
  expect(await refusalsFor('ada')).toEqual([])
  expect(await refusalsFor('ada')).toMatchObject([
    { code: 'busy', field: 'ids[1]', limit: 3, message: expect.stringContaining('principalWatchesMax') },
  ])
  expect(await refusalsFor('eve')).toEqual([])
  for (const { socket } of peers) socket.terminate()
  await broker.close()
})

test('[ACCESS-10] HTTP requests of an address without an answer are bounded over all principals; one that ends makes room', async () => {
  const { broker, token } = await served({ quotas: { addressRequestsMax: 1 } })
  const ask = async (sub: string, path: string, init: RequestInit = {}) =>
    fetch(`${broker.httpUrl}${path}`, { ...init, headers: { authorization: `Bearer ${await token(sub)}` } })
  const leave = new AbortController()
  const stream = await ask('ada', '/v1/outcomes', { signal: leave.signal })
  expect(stream.status).toBe(200)
  const refused = await ask('eve', '/v1/queues')
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1'])
  expect(await refused.json()).toMatchObject({
    error: { code: 'busy', field: 'address', message: expect.stringContaining('addressRequestsMax') },
  })
  leave.abort()
  await vi.waitFor(async () => expect((await ask('eve', '/v1/queues')).status).toBe(200), { timeout: 30_000 })
  await broker.close()
})

test('[HOST-25] slow bodies of one principal take half of the room for bodies, and others are received', async () => {
  const { broker, token } = await served({ hosting: { requestTimeoutMs: 3_600_000 } })
  const begin = [
    'POST /v1/tasks HTTP/1.1',
    'Host: localhost',
    `Authorization: Bearer ${await token('ada')}`,
    'Content-Type: application/json',
    'Transfer-Encoding: chunked',
    '',
    '1\r\n{\r\n',
  ].join('\r\n')
  // Each of them may become as large as frameBytesMax, 1 MiB.
  const sockets = Array.from({ length: 33 }, () =>
    connect(broker.port, '127.0.0.1', function (this: Socket) {
      this.write(begin)
    }),
  )
  const [refused] = await Promise.race(sockets.map((socket) => once(socket, 'data')))
  expect(String(refused)).toMatch(/^HTTP\/1\.1 429 .*"field":"principal"/s)
  const headers = { authorization: `Bearer ${await token('eve')}`, 'content-type': 'application/json' }
  const body = JSON.stringify({ queue: 'q', body: 1 })
  expect((await fetch(`${broker.httpUrl}/v1/tasks`, { method: 'POST', headers, body })).status).toBe(202)
  for (const socket of sockets) socket.destroy()
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
