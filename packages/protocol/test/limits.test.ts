import { describe, expect, test } from 'vitest'
import { Bodies } from '../src/bodies.ts'
import { decodeBrokerFrame, decodeClientFrame, encodeFrames } from '../src/codec.ts'
import { DEFAULT_LIMITS, DURATION_MS_MAX, type Limits } from '../src/limits.ts'
import type { BrokerMessage, Deliver, Message, Status, Succeeded } from '../src/messages.ts'
import { isTaskId } from '../src/task-id.ts'

const id = '01890a5d-ac96-774b-bcce-b302099a8057'
const limits: Limits = {
  ...DEFAULT_LIMITS,
  frameBytesMax: 2048,
  frameMessagesMax: 3,
  batchItemsMax: 4,
  bodyBytesMax: 20,
  depthMax: 8,
  nameLengthMax: 10,
  messageLengthMax: 15,
  stackLengthMax: 25,
  tokenLengthMax: 30,
  progressBytesMax: 12,
  creditMax: 6,
  sessionQueuesMax: 2,
}
const client = (message: object) => decodeClientFrame(JSON.stringify([message]), limits)
const broker = (message: object) => decodeBrokerFrame(JSON.stringify([message]), limits)
const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value)
const welcome = {
  type: 'welcome',
  version: 1,
  session: 's',
  resumed: false,
  lostLeases: [],
  submitCredit: 1,
  heartbeatMs: 1,
  graceMs: 1,
  durability: 'memory',
  limits: { bodyBytesMax: 7, later: 1 },
}
const hello = (fields: object) => client({ type: 'hello', versions: [1], roles: ['worker'], ...fields })
/** A submission whose queue or options are refused is by itself: the frame is in order. */
const submit = (fields: object): { ok: boolean; error?: unknown } => {
  const decoded = client({ type: 'submit', ref: 1, queue: 'q', ids: [], bodies: [], ...fields })
  const fault = decoded.ok && decoded.messages[0]?.type === 'submit' ? decoded.messages[0].fault : undefined
  return fault === undefined ? decoded : { ok: false, error: fault }
}
const task = (fields: object) => submit({ ids: [id], bodies: [1], ...fields })
const retry = (fields: object) => submit({ options: { retry: { kind: 'fixed', ...fields } } })
const failure = (error: object) =>
  client({ type: 'fail', ref: 1, failures: [{ lease: 1, error: { message: '', ...error } }] })
const progress = (value: unknown) => client({ type: 'reportProgress', updates: [{ lease: 1, progress: value }] })
const refused = (error: object) =>
  broker({ type: 'settled', ref: 1, refused: [{ index: 0, error: { code: 'busy', message: '', ...error } }] })
const pings = (count: number) => decodeClientFrame(JSON.stringify(times(count, { type: 'ping', ref: 1 })), limits)
const padded = (bytes: number) => {
  const frame = JSON.stringify([{ type: 'ping', ref: 1, pad: '' }])
  return frame.replace('"pad":""', `"pad":"${'x'.repeat(bytes - frame.length)}"`)
}

/** What it is, how much fits, the limit that an error states, how to say `n` of it, the field of the error. */
type Bound = [name: string, fits: number, decode: (n: number) => { ok: boolean }, field: string]

const bounds: Bound[] = [
  ['frameBytesMax, text', 2048, (n) => decodeClientFrame(padded(n), limits), 'frame'],
  ['frameBytesMax, binary', 2048, (n) => decodeClientFrame(binaryOf(n), limits), 'frame'],
  ['frameMessagesMax', 3, pings, 'messages'],
  ['batchItemsMax of tasks', 4, (n) => submit({ ids: times(n, id), bodies: times(n, 1) }), 'messages[0].ids'],
  [
    'batchItemsMax of results',
    4,
    (n) => client({ type: 'complete', ref: 1, leases: times(n, 1), bodies: times(n, 1) }),
    'messages[0].leases',
  ],
  ['batchItemsMax of a run', 4, (n) => client({ type: 'release', ref: 1, leases: [[9, n]] }), 'messages[0].leases[0]'],
  [
    'batchItemsMax of leases',
    4,
    (n) => client({ type: 'heartbeat', ref: 1, leases: times(n, 1) }),
    'messages[0].leases',
  ],
  ['batchItemsMax of ids', 4, (n) => client({ type: 'query', ref: 1, ids: times(n, id) }), 'messages[0].ids'],
  [
    'batchItemsMax of refusals',
    4,
    (n) => broker({ type: 'cancelled', ref: 1, refused: times(n, { index: 1, error: { code: 'busy', message: '' } }) }),
    'messages[0].refused',
  ],
  ['bodyBytesMax in binary', 20, (n) => decodeClientFrame(submission([n], n), limits), 'messages[0].bytes[0]'],
  [
    'bodyBytesMax in UTF-8',
    20,
    (n) => task({ bodies: [`${'é'.repeat(8)}${'x'.repeat(n - 18)}`] }),
    'messages[0].bodies[0]',
  ],
  ['bodyBytesMax of JSON', 20, (n) => task({ bodies: ['x'.repeat(n - 2)] }), 'messages[0].bodies[0]'],
  [
    'bodyBytesMax of base64',
    20,
    (n) => task({ bodies: undefined, base64: [Buffer.alloc(n).toString('base64')] }),
    'messages[0].base64[0]',
  ],
  ['depthMax', 8, (n) => task({ bodies: [JSON.parse('['.repeat(n - 3) + ']'.repeat(n - 3))] }), 'frame'],
  ['nameLengthMax of a queue', 10, (n) => submit({ queue: 'q'.repeat(n) }), 'queue'],
  ['nameLengthMax of a name', 10, (n) => hello({ name: 'é'.repeat(n) }), 'messages[0].name'],
  [
    'nameLengthMax of a content type',
    10,
    (n) => task({ bodies: undefined, base64: [''], contentType: 'x'.repeat(n) }),
    'messages[0].contentType',
  ],
  [
    'nameLengthMax of a session',
    10,
    (n) => hello({ resume: { session: 's'.repeat(n), leases: [] } }),
    'messages[0].resume.session',
  ],
  ['nameLengthMax of an error', 10, (n) => failure({ name: 'n'.repeat(n) }), 'messages[0].failures[0].error.name'],
  [
    'messageLengthMax of a failure',
    15,
    (n) => failure({ message: 'm'.repeat(n) }),
    'messages[0].failures[0].error.message',
  ],
  [
    'messageLengthMax of an error',
    15,
    (n) => refused({ message: 'm'.repeat(n) }),
    'messages[0].refused[0].error.message',
  ],
  ['stackLengthMax', 25, (n) => failure({ stack: 's'.repeat(n) }), 'messages[0].failures[0].error.stack'],
  ['tokenLengthMax', 30, (n) => hello({ token: 't'.repeat(n) }), 'messages[0].token'],
  ['progressBytesMax', 12, (n) => progress('x'.repeat(n - 2)), 'messages[0].updates[0].progress'],
  [
    'progressBytesMax in UTF-8',
    12,
    (n) => progress(`${'é'.repeat(5)}${'x'.repeat(n - 12)}`),
    'messages[0].updates[0].progress',
  ],
  ['sessionQueuesMax', 2, (n) => client({ type: 'credit', credit: 1, queues: times(n, 'q') }), 'messages[0].queues'],
  ['versions', 16, (n) => hello({ versions: times(n, 1) }), 'messages[0].versions'],
  ['a version', 65_535, (n) => hello({ versions: [1, n] }), 'messages[0].versions[1]'],
]

/** One task in a binary frame, with zeros for a body. */
function submission(bytes: unknown, bodyBytes: number): Uint8Array {
  const header = JSON.stringify([{ type: 'submit', ref: 1, queue: 'q', ids: [id], bytes }])
  const frame = new Uint8Array(4 + header.length + bodyBytes)
  new DataView(frame.buffer).setUint32(0, header.length)
  new TextEncoder().encodeInto(header, frame.subarray(4))
  return frame
}

function binaryOf(bytes: number): Uint8Array {
  const header = padded(bytes - 4)
  const frame = new Uint8Array(bytes)
  new DataView(frame.buffer).setUint32(0, header.length)
  new TextEncoder().encodeInto(header, frame.subarray(4))
  return frame
}

describe('at the bound and one past it', () => {
  test.each(bounds)('[MSG-12] %s', (_name, fits, decode, field) => {
    expect(decode(fits)).toMatchObject({ ok: true })
    expect(decode(fits + 1)).toMatchObject({ ok: false, error: { code: 'too_large', field, limit: fits } })
  })

  test('[CREDIT-1] a credit and its queues', () => {
    const credit = (credit: unknown, queues: unknown = []) => client({ type: 'credit', credit, queues })
    expect(credit(0)).toMatchObject({ ok: true })
    expect(credit(limits.creditMax, ['a', 'b'])).toMatchObject({ ok: true })
    expect(credit(limits.creditMax + 1)).toMatchObject({ error: { code: 'too_large', limit: limits.creditMax } })
    for (const wrong of [-1, 1.5, '1', null]) expect(credit(wrong)).toMatchObject({ error: { code: 'bad_message' } })
    expect(credit(1, ['a', '-b'])).toMatchObject({ error: { code: 'bad_message', field: 'messages[0].queues[1]' } })
  })

  test('[HELLO-2] as many leases are resumed and lost as a session may hold, or as it may by default where that is more', () => {
    for (const [creditMax, max] of [
      [12_000, 12_000],
      [6, DEFAULT_LIMITS.creditMax],
    ] as const) {
      const inForce = { ...limits, frameBytesMax: 100_000, creditMax }
      const resume = (count: number) => {
        const resume = { session: 's', leases: [[1, count]] }
        const message = { type: 'hello', versions: [1], roles: ['worker'], resume }
        return decodeClientFrame(JSON.stringify([message]), inForce)
      }
      expect(resume(max)).toMatchObject({ ok: true })
      expect(resume(max + 1)).toMatchObject({
        error: { code: 'too_large', field: 'messages[0].resume.leases[0]', limit: max },
      })
      const lost = (count: number) =>
        decodeBrokerFrame(JSON.stringify([{ ...welcome, lostLeases: [[1, count]] }]), inForce)
      expect(lost(max)).toMatchObject({ ok: true })
      expect(lost(max + 1)).toMatchObject({ error: { code: 'too_large', limit: max } })
    }
  })

  const ranges: [field: string, min: number, max: number, decode: (n: unknown) => object][] = [
    ['options.priority', 0, 9, (priority) => submit({ options: { priority } })],
    ['options.delayMs', 0, DURATION_MS_MAX, (delayMs) => submit({ options: { delayMs } })],
    ['options.ttlMs', 0, DURATION_MS_MAX, (ttlMs) => submit({ options: { ttlMs } })],
    ['options.leaseMs', 100, 86_400_000, (leaseMs) => submit({ options: { leaseMs } })],
    ['options.timeLimitMs', 0, DURATION_MS_MAX, (timeLimitMs) => submit({ options: { timeLimitMs } })],
    ['options.resultTtlMs', 0, DURATION_MS_MAX, (resultTtlMs) => submit({ options: { resultTtlMs } })],
    ['options.retry.attemptsMax', 1, 1000, (attemptsMax) => retry({ attemptsMax })],
    ['options.retry.delayMs', 0, DURATION_MS_MAX, (delayMs) => retry({ delayMs })],
    ['options.retry.delayMsMax', 0, DURATION_MS_MAX, (delayMsMax) => retry({ delayMsMax })],
  ]

  test.each(ranges)('[MSG-10] %s from %i to %i', (field, min, max, decode) => {
    expect(decode(min)).toMatchObject({ ok: true })
    expect(decode(max)).toMatchObject({ ok: true })
    expect(decode(min - 1)).toMatchObject({ ok: false, error: { code: 'bad_message', field, limit: min } })
    expect(decode(max + 1)).toMatchObject({ ok: false, error: { code: 'too_large', field, limit: max } })
    for (const wrong of [min + 0.5, String(min), true, [min]]) {
      expect(decode(wrong)).toMatchObject({ ok: false, error: { code: 'bad_message', field } })
    }
  })
})

test('[MSG-10] a retry policy says what it is', () => {
  expect(submit({ options: { retry: {} } })).toMatchObject({ error: { field: 'options.retry.kind' } })
  expect(retry({ jitter: 'some' })).toMatchObject({ error: { field: 'options.retry.jitter' } })
})

test('[HELLO-1] hello names versions and roles', () => {
  const field = (fields: object) => (hello(fields) as { error?: { field: string } }).error?.field
  expect(field({})).toBeUndefined()
  expect(field({ versions: [] })).toBe('messages[0].versions')
  expect(field({ versions: [0] })).toBe('messages[0].versions[0]')
  expect(field({ roles: [] })).toBe('messages[0].roles')
  expect(field({ roles: ['worker', 'admin'] })).toBe('messages[0].roles[1]')
})

test('[MSG-2] a task id is a UUIDv7 in lower case', () => {
  expect(task({})).toMatchObject({ ok: true })
  for (const wrong of [
    id.toUpperCase(),
    id.replace('-774b', '-474b'),
    id.replace('-bcce', '-ccce'),
    id.replace('-bcce', '-7cce'),
    id.slice(1),
    `${id}0`,
    id.replaceAll('-', ''),
    id.replace('0', 'g'),
    id.replace('0', '/'),
    id.replace('-', '0'),
    7,
    null,
  ]) {
    expect(isTaskId(wrong)).toBe(false)
    expect(task({ ids: [wrong] })).toMatchObject({ error: { code: 'bad_message', field: 'messages[0].ids[0]' } })
  }
})

test('[MSG-3] a queue name is made of letters, digits and a few marks', () => {
  for (const queue of ['a', '7', 'A.b_c:/-1']) expect(submit({ queue })).toMatchObject({ ok: true })
  for (const queue of ['', '.a', '/a', 'a b', 'é', 'a\n', 'a"', '__proto__', 5]) {
    expect(submit({ queue })).toMatchObject({ error: { code: 'bad_message', field: 'queue' } })
  }
})

test('[MSG-4] refs, leases and indices are safe integers from 0', () => {
  for (const ref of [0, 2 ** 53 - 1]) expect(client({ type: 'ping', ref })).toMatchObject({ ok: true })
  expect(client({ type: 'ping', ref: 2 ** 53 })).toMatchObject({ error: { code: 'bad_message' } })
  for (const wrong of [-1, 0.5, '1', null, undefined, {}]) {
    expect(client({ type: 'ping', ref: wrong })).toMatchObject({ error: { field: 'messages[0].ref' } })
    expect(client({ type: 'release', ref: 1, leases: [0, wrong] })).toMatchObject({
      error: { code: 'bad_message', field: 'messages[0].leases[1]' },
    })
  }
  const [negativeZero] = (decodeClientFrame('[{"type":"ping","ref":-0}]', limits) as { messages: { ref: number }[] })
    .messages
  expect(Object.is(negativeZero?.ref, 0)).toBe(true)
})

test('[MSG-5] a duration is from 0 to 30 days', () => {
  for (const retryAfterMs of [0, DURATION_MS_MAX]) {
    expect(broker({ type: 'drain', retryAfterMs })).toMatchObject({ ok: true })
  }
  expect(broker({ type: 'drain', retryAfterMs: -1 })).toMatchObject({ error: { code: 'bad_message', limit: 0 } })
  expect(broker({ type: 'drain', retryAfterMs: DURATION_MS_MAX + 1 })).toMatchObject({
    error: { code: 'too_large', field: 'messages[0].retryAfterMs', limit: 2_592_000_000 },
  })
})

test('[MSG-6] a task that ended without a result has no body', () => {
  const tasks = [{ id, status: 'dead', attempts: 3, reason: 'expired' }]
  expect(broker({ type: 'ended', tasks: [{ ...tasks[0], body: 1 }] })).toEqual({
    ok: true,
    messages: [{ type: 'ended', tasks }],
  })
  expect(broker({ type: 'ended', tasks: [{ id, status: 'succeeded', attempts: 1 }] })).toMatchObject({
    error: { code: 'bad_message', field: 'messages[0].tasks[0].status' },
  })
})

test('[MSG-17] a client takes what was accepted under wider limits, as long as it fits into a frame', () => {
  const long = 'q'.repeat(limits.nameLengthMax + 1)
  const body = 'x'.repeat(limits.bodyBytesMax + 1)
  const held = { type: 'deliver', queue: long, leaseMs: 100, ids: [id], leases: [1] }
  expect(broker({ ...held, bodies: [body] })).toMatchObject({ ok: true })
  expect(broker({ ...held, contentType: long, base64: [Buffer.from(body).toString('base64')] })).toMatchObject({
    ok: true,
  })
  expect(
    broker({ type: 'status', ref: 1, tasks: [{ id, state: 'leased', queue: long, progress: body }] }),
  ).toMatchObject({
    ok: true,
  })
  const binary = encodeFrames(
    [{ type: 'succeeded', ids: [id], bodies: Bodies.ofTexts([`"${body}"`]) }],
    'binary',
    limits,
  )
  expect(decodeBrokerFrame(binary[0] as Uint8Array, limits)).toMatchObject({ ok: true })
  expect(broker({ ...held, bodies: ['x'.repeat(limits.frameBytesMax)] })).toMatchObject({ error: { field: 'frame' } })
})

test('[MSG-14] a list of leases or indices may hold a first number and a count', () => {
  const leases = (...list: unknown[]) => client({ type: 'release', ref: 1, leases: list })
  expect(leases(7, [1, 2], [4, 1])).toMatchObject({ messages: [{ leases: [7, 1, 2, 4] }] })
  expect(leases([2 ** 53 - 2, 2])).toMatchObject({ messages: [{ leases: [2 ** 53 - 2, 2 ** 53 - 1] }] })
  expect(leases(7, [1, 2], [4, 2])).toMatchObject({ error: { code: 'too_large', field: 'messages[0].leases[2]' } })
  for (const wrong of [[], [1], [1, 2, 3], [1, 0], [-1, 1], [1, '2'], [[1], 2], [0.5, 1]]) {
    expect(leases(7, wrong)).toMatchObject({ error: { code: 'bad_message', field: 'messages[0].leases[1]' } })
  }
  expect(leases([2 ** 53 - 2, 3])).toMatchObject({ ok: false, error: { field: 'messages[0].leases[0]' } })
  const bodies = Bodies.ofTexts(times(4, '1'))
  const succeeded: Message = { type: 'succeeded', ref: 1, indexes: [7, 41, 42, 43], bodies }
  expect(encodeFrames([succeeded], 'text', limits)[0]).toContain('"indexes":[7,41,42,43]')
  expect(new TextDecoder().decode(encodeFrames([succeeded], 'binary', limits)[0] as Uint8Array)).toContain(
    '"indexes":[7,[41,3]]',
  )
})

test('[MSG-15] the lists of a message with bodies are equally long', () => {
  const deliver = (fields: object) =>
    broker({ type: 'deliver', queue: 'q', leaseMs: 100, ids: [id, id], leases: [[1, 2]], bodies: [1, 2], ...fields })
  expect(deliver({ attempts: [1, 2] })).toMatchObject({ ok: true })
  for (const [field, list] of [
    ['leases', [1]],
    ['leases', [1, 2, 3]],
    ['attempts', [1]],
    ['attempts', [1, 1, 1]],
    ['bodies', [1]],
    ['bodies', [1, 2, 3]],
  ] as const) {
    expect(deliver({ [field]: list })).toMatchObject({ error: { code: 'bad_message', field: `messages[0].${field}` } })
  }
  for (const wrong of [0, 1.5, '1', null]) {
    expect(deliver({ attempts: [1, wrong] })).toMatchObject({ error: { field: 'messages[0].attempts[1]' } })
  }
})

test('[MSG-16] a broker names a task by its submission or by its id', () => {
  const progress = (task: object) => broker({ type: 'progress', tasks: [{ ...task, progress: 1 }] })
  expect(progress({ ref: 3, index: 0 })).toMatchObject({ messages: [{ tasks: [{ ref: 3, index: 0, progress: 1 }] }] })
  expect(progress({ id })).toMatchObject({ messages: [{ tasks: [{ id, progress: 1 }] }] })
  expect(progress({ ref: 3 })).toMatchObject({ error: { field: 'messages[0].tasks[0].index' } })
  expect(progress({})).toMatchObject({ error: { field: 'messages[0].tasks[0].ref' } })
  const succeeded = (task: object) => broker({ type: 'succeeded', bodies: [1], ...task })
  expect(succeeded({ ref: 3, indexes: [5] })).toMatchObject({ messages: [{ ref: 3, indexes: [5] }] })
  expect(succeeded({ ids: [id] })).toMatchObject({ messages: [{ ids: [id] }] })
  expect(succeeded({ ref: 3 })).toMatchObject({ error: { field: 'messages[0].indexes' } })
  expect(succeeded({ ids: ['x'] })).toMatchObject({ error: { field: 'messages[0].ids[0]' } })
})

test('[MSG-13] a limit that welcome leaves out has its default', () => {
  expect(broker(welcome)).toMatchObject({ messages: [{ limits: { ...DEFAULT_LIMITS, bodyBytesMax: 7 } }] })
})

describe('encoding', () => {
  const decodeAll = (frames: (string | Uint8Array)[]): BrokerMessage[] =>
    frames.flatMap((frame) => {
      const decoded = decodeBrokerFrame(frame, limits)
      if (!decoded.ok) throw new Error(JSON.stringify(decoded.error))
      return decoded.messages
    })
  const deliver = (count: number): Deliver => ({
    type: 'deliver',
    queue: 'q',
    leaseMs: 1000,
    ids: times(count, id),
    leases: Array.from({ length: count }, (_, lease) => lease),
    attempts: Array.from({ length: count }, (_, lease) => lease + 1),
    bodies: Bodies.ofPieces(
      Array.from({ length: count }, (_, lease) => new Uint8Array(1 + (lease % 20)).fill(lease)),
      Array.from({ length: count }, (_, lease) => 1 + (lease % 20)),
    ),
  })

  test.each(['text', 'binary'] as const)('[MSG-8] divides a long list over messages and frames (%s)', (kind) => {
    const messages = decodeAll(encodeFrames([deliver(50), { type: 'ping', ref: 1 }, deliver(3)], kind, limits))
    const delivered = messages.filter((message) => message.type === 'deliver')
    const leases = [...Array.from({ length: 50 }, (_, i) => i), 0, 1, 2]
    expect(delivered.flatMap((message) => message.leases)).toEqual(leases)
    expect(delivered.flatMap((message) => message.attempts)).toEqual(leases.map((lease) => lease + 1))
    expect(delivered.flatMap(({ bodies }) => bodies.lengths.map((_, index) => [...bodies.at(index)]))).toEqual(
      leases.map((lease) => new Array(1 + (lease % 20)).fill(lease)),
    )
    expect(messages.findIndex(({ type }) => type === 'ping')).toBe(messages.length - 2)
  })

  test('[MSG-8] never divides a message whose answer counts its items', () => {
    const submit: Message = {
      type: 'submit',
      ref: 1,
      queue: 'q',
      ids: times(5, id),
      bodies: Bodies.ofTexts(times(5, '1')),
    }
    expect(() => encodeFrames([submit], 'binary', limits)).toThrow(RangeError)
  })

  test('[MSG-8] divides results of one submission, and those named by id', () => {
    const list = Array.from({ length: 9 }, (_, index) => index)
    const bodies = Bodies.ofTexts(list.map((index) => `"${'é'.repeat(index)}"`))
    for (const names of [{ ref: 4, indexes: list }, { ids: times(9, id) }]) {
      const parts = decodeAll(encodeFrames([{ type: 'succeeded', ...names, bodies }], 'binary', limits)) as Succeeded[]
      expect(parts.length).toBeGreaterThan(2)
      expect(parts.flatMap<unknown>((part) => ('ids' in part ? part.ids : part.indexes))).toEqual(
        Object.values(names).at(-1),
      )
      expect(parts.flatMap((part) => part.bodies.lengths.map((_, index) => part.bodies.json(index)))).toEqual(
        list.map((index) => 'é'.repeat(index)),
      )
    }
  })

  test('[MSG-7] divides a status into parts that say whether more follow', () => {
    const status: Status = { type: 'status', ref: 5, tasks: times(11, { id, state: 'ready' as const }) }
    const parts = decodeAll(encodeFrames([status], 'binary', limits)) as Status[]
    expect(parts.length).toBeGreaterThan(2)
    expect(parts.flatMap(({ tasks }) => tasks)).toEqual(status.tasks)
    expect(parts.map(({ ref, more }) => [ref, more === true])).toEqual(
      parts.map((_, index) => [5, index < parts.length - 1]),
    )
  })

  test('splits messages over frames by count and by bytes', () => {
    const pings: Message[] = Array.from({ length: 10 }, (_, ref) => ({ type: 'ping', ref }))
    const frames = encodeFrames(pings, 'text', limits)
    expect(frames.length).toBeGreaterThanOrEqual(4)
    expect(decodeAll(frames)).toEqual(pings)
    expect(encodeFrames([], 'binary', limits)).toEqual([])
  })

  test('keeps frames handy where their messages can be divided, and packs small messages together', () => {
    const ids = (count: number) => times(count, id)
    const bodies = (count: number) => Bodies.ofTexts(times(count, `"${'x'.repeat(98)}"`))
    const submit: Message = { type: 'submit', ref: 1, queue: 'q', ids: ids(1000), bodies: bodies(1000) }
    const succeeded: Message = { type: 'succeeded', ids: ids(1000), bodies: bodies(1000) }
    const large: Message = { type: 'succeeded', ids: ids(1), bodies: Bodies.ofTexts([`"${'x'.repeat(100_000)}"`]) }
    const pings: Message[] = Array.from({ length: 10 }, (_, ref) => ({ type: 'ping', ref }))
    const lengths = (...messages: Message[]) =>
      encodeFrames(messages, 'binary', DEFAULT_LIMITS).map((frame) => Math.round(frame.length / 10_000))
    expect(lengths(submit)).toEqual([14])
    expect(lengths(...pings, succeeded, ...pings)).toEqual([7, 7])
    expect(lengths(large, ...pings)).toEqual([10, 0])
  })

  test('[MSG-9] cuts what people read to the limits', () => {
    const long = 'x'.repeat(500)
    const failed: Message = {
      type: 'fail',
      ref: 1,
      failures: [{ lease: 1, error: { message: long, name: long, stack: long } }],
    }
    const decoded = decodeClientFrame(encodeFrames([failed], 'binary', limits)[0]!, limits)
    expect(decoded).toMatchObject({
      messages: [{ failures: [{ error: { message: 'x'.repeat(15), name: 'x'.repeat(10), stack: 'x'.repeat(25) } }] }],
    })
    const error: Message = { type: 'error', code: 'internal', message: long }
    expect(decodeAll(encodeFrames([error], 'text', limits))).toEqual([{ ...error, message: 'x'.repeat(15) }])
    const field = 'messages[0].options.retry.kind'
    const placed: Message = { type: 'error', code: 'busy', message: 'no', field }
    expect(decodeAll(encodeFrames([placed], 'text', limits))).toEqual([{ ...placed, field: 'messages[0].opt' }])
  })

  test.each(['x', '\u0001', 'é', '\u{10ffff}'])(
    '[MSG-9] cuts a failure of %j further where frames are small',
    (unit) => {
      const error = { message: unit.repeat(500), name: unit.repeat(60), stack: unit.repeat(4000) }
      const task = { id, state: 'dead' as const, queue: 'q'.repeat(128), progress: 'x'.repeat(500), error }
      const ended = { type: 'ended' as const, tasks: [{ id, status: 'dead' as const, attempts: 1, error }] }
      const status: Message = { type: 'status', ref: 1, tasks: [task] }
      for (const frameBytesMax of [1024, 2048, 8192, 65_536]) {
        const small = { ...DEFAULT_LIMITS, frameBytesMax }
        for (const message of frameBytesMax < 2048 ? [ended] : [ended, status])
          for (const kind of ['text', 'binary'] as const) expect(encodeFrames([message], kind, small)).toHaveLength(1)
      }
      const whole = decodeBrokerFrame(encodeFrames([ended], 'text', DEFAULT_LIMITS)[0]!, DEFAULT_LIMITS)
      expect(whole).toMatchObject({ messages: [{ tasks: [{ error: { message: unit.repeat(500) } }] }] })
    },
  )
})
