import { describe, expect, test } from 'vitest'
import { encodeValue } from '../src/encode-value.ts'
import { createClient, createWorker } from '../src/index.ts'
import { bodiesOf, FakeWorld } from './fake-world.ts'

const ID = '01900000-0000-7000-8000-00000000000'

class Point {
  x = 1
  #y = 2
  get y(): number {
    return this.#y
  }
}

describe('a value is sent as JSON', () => {
  const shared = { a: 1 }
  test.each([
    [undefined, 'null'],
    [null, 'null'],
    [{ left: undefined, kept: 1 }, '{"kept":1}'],
    [new Date(0), '"1970-01-01T00:00:00.000Z"'],
    [new Point(), '{"x":1}'],
    [new (class Empty {})(), '{}'],
    [Object.create(null), '{}'],
    [{ toJSON: () => ({ as: ['it', 'says'] }) }, '{"as":["it","says"]}'],
    [Object.assign(new Map(), { toJSON: () => 'mine' }), '"mine"'],
    [[shared, shared], '[{"a":1},{"a":1}]'],
    [Object(7), '7'],
  ])('%s', (value, json) => {
    expect(encodeValue(value, 'input')).toBe(json)
  })
})

describe('a value that JSON would drop or change is refused with its path', () => {
  test.each([
    [() => 1, 'input is a function'],
    [Symbol('s'), 'input is a symbol'],
    [1n, 'input is a bigint'],
    [Number.NaN, 'input is NaN'],
    [{ a: [1, Number.POSITIVE_INFINITY] }, 'input.a[1] is Infinity'],
    [{ 'two words': new Map() }, 'input["two words"] is a Map'],
    [[new Set([1])], 'input[0] is a Set'],
    [{ cause: new TypeError('x') }, 'input.cause is an Error'],
    [{ cause: Object.assign(new Error('x'), { code: 'E42' }) }, 'input.cause is an Error'],
    [new ArrayBuffer(1), 'input is an ArrayBuffer'],
    [{ bytes: new Uint8Array(1) }, 'input.bytes is a Uint8Array'],
    [{ bytes: Buffer.from('x') }, 'input.bytes is a Uint8Array'],
    [new Float32Array(1), 'input is a Float32Array'],
    [new DataView(new ArrayBuffer(1)), 'input is a DataView'],
    [{ when: new Date('never') }, 'input.when is an invalid Date'],
    [/x/, 'input is a RegExp'],
    [{ later: Promise.resolve(1) }, 'input.later is a Promise'],
    [new URLSearchParams('a=1'), 'input is a URLSearchParams'],
    [[1, undefined], 'input[1] is undefined in an array'],
    [{ deep: JSON.parse('{"__proto__":{"admin":true}}') }, 'input.deep.__proto__ is a key that is refused'],
    [{ toJSON: () => ({ late: new Set() }) }, 'input.late is a Set'],
  ])('%#: %s', (value, story) => {
    expect(() => encodeValue(value, 'input')).toThrow(`${story}, which JSON does not carry`)
  })

  test('a cycle is refused as well', () => {
    const cycle: Record<string, unknown> = { other: {} }
    cycle.itself = [cycle, cycle]
    expect(() => encodeValue(cycle, 'input')).toThrow(/circular/)
  })
})

test('an input is refused by its path before it leaves, and bytes travel as bytes, copied at once', async () => {
  const world = new FakeWorld()
  const client = createClient({ url: 'ws://broker', platform: world.platform })
  const connection = await world.welcome()
  await expect(client.submit('q', { tags: new Set() })).rejects.toMatchObject({
    code: 'bad_message',
    field: 'input.tags',
  })
  const bytes = new Uint8Array([1, 2, 3])
  void client.submit('q', bytes)
  void client.submit('q', 'text')
  void client.submit('q', Buffer.from([9]))
  bytes.fill(0)
  await world.settle()
  const [binary, text] = connection.of('submit')
  expect(binary).toMatchObject({ contentType: 'application/octet-stream' })
  expect([...binary!.bodies.at(0)]).toEqual([1, 2, 3])
  expect([...binary!.bodies.at(1)]).toEqual([9])
  expect(text?.contentType).toBeUndefined()
  const gone = new Uint8Array(8)
  structuredClone(gone.buffer, { transfer: [gone.buffer] })
  await expect(client.submit('q', gone)).rejects.toMatchObject({ code: 'bad_message', field: 'input' })
})

test('a handler that returns what cannot be sent fails its own task, and no other', async () => {
  const world = new FakeWorld()
  const shared = new Uint8Array([7])
  const worker = createWorker({
    url: 'ws://broker',
    platform: world.platform,
    handlers: {
      q: (input: string) => {
        if (input === 'shared') return shared
        if (input === 'map') return { at: new Map() }
        // What was returned before has not left yet.
        structuredClone(shared.buffer, { transfer: [shared.buffer] })
        return shared
      },
    },
  })
  void worker.start()
  const connection = await world.welcome()
  const bodies = bodiesOf('shared', 'map', 'transfer')
  const leases = [1, 2, 3]
  connection.say({ type: 'deliver', queue: 'q', leaseMs: 30_000, ids: leases.map((n) => `${ID}${n}`), leases, bodies })
  await world.settle()
  const failures = connection.of('fail').flatMap((message) => message.failures)
  expect(failures).toMatchObject([
    { lease: 2, error: { message: expect.stringContaining('output.at is a Map') }, retryable: false },
    { lease: 3, error: { message: expect.stringContaining('the output cannot be sent') }, retryable: false },
  ])
  const complete = connection.last('complete')
  expect(complete.leases).toEqual([1])
  expect([...complete.bodies.bytes]).toEqual([7])
})

test('a handler that transfers its input away takes nothing from the inputs of others', async () => {
  const world = new FakeWorld()
  const seen: number[][] = []
  const worker = createWorker({
    url: 'ws://broker',
    platform: world.platform,
    handlers: {
      q: (input: Uint8Array) => {
        seen.push([...input])
        structuredClone(input.buffer, { transfer: [input.buffer] })
      },
    },
    concurrency: 1,
  })
  void worker.start()
  const connection = await world.welcome()
  connection.say({
    type: 'deliver',
    queue: 'q',
    leaseMs: 30_000,
    contentType: 'application/octet-stream',
    ids: [`${ID}1`, `${ID}2`],
    leases: [1, 2],
    bodies: bodiesOf(1, 2),
  })
  await world.settle()
  expect(seen).toEqual([[49], [50]])
  expect(worker.stats()).toMatchObject({ succeeded: 2 })
})
