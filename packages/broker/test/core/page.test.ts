import { type SubmitOptions, VERSIONS } from '@sluice/protocol'
import { describe, expect, test } from 'vitest'
import { type Peer, taskId, World } from './world.ts'

/** What PROTOCOL.md says of a broker, beside what has a test of its own. */

/** A frame as a person writes it. */
function type(peer: Peer, ...messages: object[]): void {
  peer.connection?.receive(JSON.stringify(messages))
}

async function typing(world: World, roles = ['producer', 'worker']): Promise<Peer> {
  const peer = world.peer('text')
  type(peer, { type: 'hello', versions: VERSIONS, roles })
  await world.settle()
  return peer
}

const submit = (ref: number, n: number, more: object = {}) => ({
  type: 'submit',
  ref,
  queue: 'photos',
  ids: [taskId(n)],
  bodies: [n],
  ...more,
})

describe('[MSG-10] a queue or options that cannot be', () => {
  test.each([
    [{ options: { priority: 10 } }, { code: 'too_large', field: 'options.priority', limit: 9 }],
    [{ options: { priority: 'high' } }, { code: 'bad_message', field: 'options.priority' }],
    [{ options: { retry: { attemptsMax: 3 } } }, { code: 'bad_message', field: 'options.retry.kind' }],
    [{ options: 5 }, { code: 'bad_message', field: 'options' }],
    [{ queue: 'big cats' }, { code: 'bad_message', field: 'queue' }],
    [{ queue: 'x'.repeat(140) }, { code: 'too_large', field: 'queue', limit: 128 }],
  ])('%j is refused by its ref and its field, and nothing else is', async (more, error) => {
    const world = await World.started()
    const peer = await typing(world)
    type(peer, submit(1, 1), submit(2, 2, more), submit(3, 3))
    await world.settle()
    expect(peer.of('error')).toMatchObject([{ ref: 2, ...error }])
    expect(peer.of('submitted').map(({ ref }) => ref)).toEqual([1, 3])
    expect(peer.closedWith).toBeUndefined()
    expect(world.host.state.tasks.get(taskId(2))).toBeUndefined()
  })

  test('counts as answered', async () => {
    const world = await World.started({ engine: { submitCredit: 1 } })
    const peer = await typing(world)
    for (let ref = 1; ref < 5; ref += 1) type(peer, submit(ref, ref, { options: 5 }))
    await world.settle()
    expect(peer.of('error').length).toBe(4)
    expect(peer.isPaused).toBe(false)
  })
})

describe('[HELLO-3] the same content', () => {
  const retry = { kind: 'exponential', attemptsMax: 5, delayMs: 1000, delayMsMax: 60_000, jitter: 'full' } as const
  const atDefaults: SubmitOptions = { priority: 5, delayMs: 0, ttlMs: 0, leaseMs: 30_000, timeLimitMs: 0, retry }

  test.each([
    [undefined, atDefaults],
    [{ priority: 7 }, { ...atDefaults, priority: 7 }],
    [{ retry: { kind: 'fixed' } }, { retry: { ...retry, kind: 'fixed' } }],
    [
      { leaseMs: 100, priority: 7 },
      { priority: 7, leaseMs: 100 },
    ],
  ])('options %j and %j mean the same', async (first, second) => {
    const world = await World.started()
    const peer = await typing(world)
    type(peer, submit(1, 1, { options: first }), submit(2, 1, { options: second, contentType: 'application/json' }))
    await world.settle()
    expect(peer.of('submitted')).toEqual([
      { type: 'submitted', ref: 1, refused: [] },
      { type: 'submitted', ref: 2, refused: [] },
    ])
  })

  test.each([
    [{ options: { priority: 6 } }],
    [{ options: { retry: { kind: 'none' } } }],
    [{ queue: 'mail' }],
    [{ bodies: [2] }],
    [{ base64: ['MQ=='], bodies: undefined, contentType: 'text/plain' }],
  ])('%j is other content', async (more) => {
    const world = await World.started()
    const peer = await typing(world)
    type(peer, submit(1, 1), submit(2, 1, more))
    await world.settle()
    expect(peer.of('submitted')[1]?.refused).toMatchObject([{ index: 0, error: { code: 'id_conflict', field: 'id' } }])
  })

  test('bodies are compared byte for byte', async () => {
    const world = await World.started()
    const peer = await typing(world)
    peer.connection?.receive(`[${JSON.stringify(submit(1, 1)).replace('[1]}', '[{"a": 1}]}')}]`)
    peer.connection?.receive(`[${JSON.stringify(submit(2, 1)).replace('[1]}', '[{"a":1}]}')}]`)
    await world.settle()
    expect(peer.of('submitted')[1]?.refused).toMatchObject([{ error: { code: 'id_conflict' } }])
  })
})

describe('[CLOSE-2] before a broker closes a connection it says why', () => {
  test('to the one whose session was taken up by another', async () => {
    const world = await World.started()
    const first = await world.member()
    const second = world.peer()
    second.hello({ resume: { session: first.session, leases: [] } })
    await world.settle()
    expect(first.of('error')).toMatchObject([{ code: 'session_replaced' }])
    expect(first.closedWith).toEqual({ code: 4005, reason: 'session_replaced' })
  })

  test('when it leaves, unless it has said drain', async () => {
    const world = await World.started()
    const told = await world.member()
    world.host.drain()
    await world.settle()
    const late = world.peer('text')
    expect(late.of('error')).toMatchObject([{ code: 'draining', retryAfterMs: expect.any(Number) }])
    expect(late.closedWith).toEqual({ code: 4006, reason: 'draining' })
    await world.during(world.host.stop())
    expect([told.of('drain').length, told.of('error').length]).toEqual([1, 0])

    const other = await World.started()
    const peer = await other.member()
    await other.during(other.host.stop())
    expect(peer.of('error')).toMatchObject([{ code: 'draining', retryAfterMs: expect.any(Number) }])
    expect(peer.closedWith).toEqual({ code: 4006, reason: 'draining' })
  })

  test('when it has no room', async () => {
    const world = await World.started({ config: { connectionsMax: 1 } })
    await world.member()
    const refused = world.peer()
    expect(refused.of('error')).toMatchObject([{ code: 'busy', retryAfterMs: expect.any(Number) }])
    expect(refused.closedWith).toEqual({ code: 4008, reason: 'busy' })
  })

  test('when it fails', async () => {
    const world = await World.started()
    const peer = await world.member()
    world.host.fail(new Error('disk full'))
    expect(peer.of('error')).toMatchObject([{ code: 'internal' }])
    expect(peer.closedWith).toEqual({ code: 4009, reason: 'internal' })
  })
})

test('a second hello is refused without a ref, and changes nothing', async () => {
  const world = await World.started()
  const peer = await typing(world)
  type(peer, { type: 'hello', versions: VERSIONS, roles: ['worker'] }, submit(1, 1))
  await world.settle()
  expect(peer.of('error')).toEqual([{ type: 'error', code: 'bad_message', field: 'type', message: expect.any(String) }])
  expect(peer.of('submitted').length).toBe(1)
  expect(peer.of('welcome').length).toBe(1)
  expect(peer.closedWith).toBeUndefined()
})

test('a table that is full, or a list too long, is named with its setting', async () => {
  const world = await World.started({ engine: { queuesMax: 1 } })
  const peer = await typing(world)
  type(peer, submit(1, 1), submit(2, 2, { queue: 'mail' }), { type: 'credit', credit: 1, queues: ['mail'] })
  await world.settle()
  expect(peer.of('submitted')[1]?.refused[0]?.error).toMatchObject({
    code: 'busy',
    limit: 1,
    message: expect.stringContaining('(queuesMax is 1)'),
  })
  expect(peer.of('error')).toMatchObject([{ code: 'busy', message: expect.stringContaining('(queuesMax is 1)') }])
  type(peer, { type: 'credit', credit: 1, queues: Array.from({ length: 65 }, (_, n) => `q${n}`) })
  expect(peer.of('error').at(-1)).toMatchObject({
    code: 'too_large',
    field: 'messages[0].queues',
    message: expect.stringContaining('(sessionQueuesMax)'),
  })
})
