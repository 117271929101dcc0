import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { fromBase64, toBase64 } from '../src/base64.ts'
import { bodyToJson, jsonBody } from '../src/body.ts'
import { decodeBrokerFrame, decodeClientFrame, encodeFrames } from '../src/codec.ts'
import { DEFAULT_LIMITS } from '../src/limits.ts'
import type { BrokerMessage, ClientMessage, Outcome, Submit } from '../src/messages.ts'

const limits = DEFAULT_LIMITS
const id = '01890a5d-ac96-774b-bcce-b302099a8057'
const utf8 = (source: string) => new TextEncoder().encode(source)
const plain = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes)

function binary(header: unknown, bodies = '', headerBytes?: number): Uint8Array {
  const bytes = utf8(typeof header === 'string' ? header : JSON.stringify(header))
  const rest = utf8(bodies)
  const frame = new Uint8Array(4 + bytes.length + rest.length)
  new DataView(frame.buffer).setUint32(0, headerBytes ?? bytes.length)
  frame.set(bytes, 4)
  frame.set(rest, 4 + bytes.length)
  return frame
}

function accepted(frame: unknown): ClientMessage[] {
  const decoded = decodeClientFrame(frame instanceof Uint8Array ? frame : text(frame), limits)
  if (!decoded.ok) throw new Error(JSON.stringify(decoded.error))
  return decoded.messages
}

function refusal(frame: unknown) {
  const decoded = decodeClientFrame(frame instanceof Uint8Array ? frame : text(frame), limits)
  if (decoded.ok) throw new Error('the frame was accepted')
  return decoded.error
}

const text = (frame: unknown) => (typeof frame === 'string' ? frame : JSON.stringify(frame))
const submit = (...tasks: unknown[]) => [{ type: 'submit', ref: 1, queue: 'q', tasks }]
const bodies = (message: ClientMessage | undefined) => (message as Submit).tasks.map((task) => plain(task.bytes))

describe('a frame', () => {
  test('[FRAME-2] of text is a JSON array of messages with a type', () => {
    expect(accepted('[{"type":"ping","ref":7},{"type":"bye"}]')).toEqual([{ type: 'ping', ref: 7 }, { type: 'bye' }])
    expect(accepted('[]')).toEqual([])
    for (const frame of ['', '{}', '{"type":"bye"}', 'null', '[', '[1,]', 'hello']) {
      expect(refusal(frame)).toMatchObject({ code: 'bad_frame', field: 'frame' })
    }
    for (const frame of ['[1]', '[null]', '[[]]', '[{}]', '["bye"]']) {
      expect(refusal(frame)).toMatchObject({ code: 'bad_message' })
    }
  })

  test('[FRAME-3] that is binary is a length, a header in UTF-8 and the bodies in order', () => {
    const frame = binary(submit({ id, bytes: 2 }, { id, bytes: 0 }, { id, bytes: 3 }), 'abcde')
    expect(bodies(accepted(frame)[0])).toEqual(['ab', '', 'cde'])
    expect(refusal(new Uint8Array(3))).toMatchObject({ code: 'bad_frame', field: 'frame' })
    expect(refusal(binary([], '', 99))).toMatchObject({ code: 'bad_frame', field: 'frame' })
    expect(refusal(binary([], '', 0xffffffff))).toMatchObject({ code: 'bad_frame', field: 'frame' })
    expect(refusal(new Uint8Array([0, 0, 0, 3, 0x5b, 0xff, 0x5d]))).toMatchObject({ code: 'bad_frame' })
    expect(refusal(binary('\uFEFF[]'))).toMatchObject({ code: 'bad_frame' })
  })

  test('[FRAME-3] that is binary keeps characters past ASCII in its header', () => {
    const messages: ClientMessage[] = [{ type: 'hello', versions: [1], roles: ['worker'], name: 'é 漢 😀' }]
    expect(accepted(encodeFrames(messages, 'binary', limits)[0])).toEqual(messages)
  })

  test('bodies of a binary frame are views of it, also where it lies inside a larger buffer', () => {
    const frame = binary(submit({ id, bytes: 2 }, { id, bytes: 3 }), 'abcde')
    const pool = new Uint8Array(frame.length + 20)
    pool.set(frame, 13)
    const message = accepted(pool.subarray(13, 13 + frame.length))[0] as Submit
    expect(bodies(message)).toEqual(['ab', 'cde'])
    expect(message.tasks[0]?.bytes.buffer).toBe(pool.buffer)
  })

  test('[FRAME-4] that is binary has exactly the bytes of its bodies behind the header', () => {
    expect(refusal(binary(submit({ id, bytes: 3 }), 'ab'))).toMatchObject({
      code: 'bad_frame',
      field: 'messages[0].tasks[0].bytes',
    })
    expect(refusal(binary(submit({ id, bytes: 1 }), 'ab'))).toMatchObject({ code: 'bad_frame', field: 'frame' })
    for (const bytes of [-1, 0.5, '1', null, undefined, 2 ** 60]) {
      expect(refusal(binary(submit({ id, bytes }), 'ab')).field).toBe('messages[0].tasks[0].bytes')
    }
  })

  test('[FRAME-5] of text has a body as JSON or in canonical base64, and not both', () => {
    expect(bodies(accepted(submit({ id, body: null }, { id, base64: 'aGk=' }, { id, body: { a: [1] } }))[0])).toEqual([
      'null',
      'hi',
      '{"a":[1]}',
    ])
    const refused = (task: object) => refusal(submit({ id, ...task }))
    expect(refused({})).toMatchObject({ code: 'bad_message', field: 'messages[0].tasks[0].body' })
    expect(refused({ body: 1, base64: '' })).toMatchObject({ field: 'messages[0].tasks[0].base64' })
    for (const base64 of ['aGk', 'aGl=', 'aG-_', 'a===', '====', 'é===', 7, null]) {
      expect(refused({ base64 })).toMatchObject({ code: 'bad_message', field: 'messages[0].tasks[0].base64' })
    }
  })

  test('[FRAME-6] of text keeps a body as it was written', () => {
    const written = [
      '12345678901234567890.10',
      '1e400',
      '{ "a" : "\\u00e9", "a": [ ] }',
      '"é😀\\"}],"',
      '-0',
      ' [1, 2] ',
    ]
    const frame = `[{"type":"bye"}, {"ref":1,"tasks":[${written
      .map((body) => `{"id":"${id}","x":{"body":0},"body": 0, "b\\u006fdy":${body} }`)
      .join(',')}],"queue":"q","type":"submit","body":5}]`
    expect(bodies(accepted(frame)[1])).toEqual(written.map((body) => body.trim()))
  })

  test('[FRAME-6] of text takes each body from its own place, whatever else is called body', () => {
    const frame = `[{"type":"complete","ref":1,"tasks":[{"body":1}],"results":[{"lease":1,"body":2},{"lease":2,"base64":"Mw=="},{"lease":3,"body":4}]},
      {"type":"complete","ref":2,"results":[{"lease":1,"body":"]}{["}]}]`
    const results = accepted(frame).flatMap((message) => (message.type === 'complete' ? message.results : []))
    expect(results.map(({ bytes }) => plain(bytes))).toEqual(['2', '3', '4', '"]}{["'])
  })

  test('[FRAME-7] states what a body is, and is JSON where it says nothing', () => {
    const tasks = (task: object) => (accepted(submit({ id, ...task }))[0] as Submit).tasks
    expect(tasks({ base64: 'aGk=', contentType: 'text/plain' })[0]).toMatchObject({ contentType: 'text/plain' })
    expect(tasks({ body: 1, contentType: 'application/json' })[0]).not.toHaveProperty('contentType')
    const refused = (contentType: unknown) => refusal(submit({ id, base64: '', contentType })).field
    for (const contentType of ['', ' ', 'a\nb', 'é', 1]) {
      expect(refused(contentType)).toBe('messages[0].tasks[0].contentType')
    }
    expect(refusal(submit({ id, body: 1, contentType: 'text/plain' })).field).toBe('messages[0].tasks[0].body')
  })

  test('[FRAME-8] of text gets JSON as body and everything else as base64', () => {
    const encoded = (bytes: Uint8Array) => {
      const outcome: Outcome = { type: 'outcome', tasks: [{ id, status: 'succeeded', attempts: 1, bytes }] }
      const [frame] = encodeFrames([outcome], 'text', limits)
      const decoded = decodeBrokerFrame(frame!, limits)
      expect(decoded).toEqual({ ok: true, messages: [outcome] })
      return JSON.parse(frame as string)[0].tasks[0]
    }
    expect(encoded(utf8('{"a":1}'))).toMatchObject({ body: { a: 1 } })
    expect(encoded(utf8('{"a":1'))).toMatchObject({ base64: 'eyJhIjox' })
    expect(encoded(utf8('1},{"x":1'))).toHaveProperty('base64')
    expect(encoded(new Uint8Array([0xff]))).toMatchObject({ base64: '/w==' })
    expect(encoded(utf8('\uFEFF1'))).toHaveProperty('base64')
    expect(encoded(new Uint8Array(0))).toMatchObject({ base64: '' })
    expect(encoded(utf8('['.repeat(60) + ']'.repeat(60)))).toHaveProperty('body')
    expect(encoded(utf8('['.repeat(61) + ']'.repeat(61)))).toHaveProperty('base64')
  })

  test('[FRAME-9] may have fields that nobody knows, and no message that nobody knows', () => {
    expect(accepted([{ type: 'ping', ref: 1, later: { x: 1 } }])).toEqual([{ type: 'ping', ref: 1 }])
    for (const type of ['subscribe', '', '__proto__', 'constructor', 'toString', 1, null, ['bye'], undefined]) {
      expect(refusal([{ type: 'bye' }, { type }])).toMatchObject({ code: 'bad_message', field: 'messages[1].type' })
    }
  })

  test('[FRAME-10] cannot poison a prototype', () => {
    const poison = '"__proto__":{"polluted":1,"ref":9},"constructor":{"prototype":{"polluted":1}}'
    const [ping] = accepted(`[{"type":"ping","ref":1,${poison}}]`)
    expect(Object.keys(ping!)).toEqual(['type', 'ref'])
    expect(Object.getPrototypeOf(ping)).toBe(Object.prototype)
    expect(refusal('[{"type":"ping","__proto__":{"ref":9}}]').field).toBe('messages[0].ref')
    const [message] = accepted(`[{"type":"submit","ref":1,"queue":"q","options":{${poison}},"tasks":[]}]`)
    expect((message as Submit).options).toEqual({})
    const progress = (value: string) => `[{"type":"reportProgress","updates":[{"lease":1,"progress":${value}}]}]`
    expect(accepted(progress('{"constructor":1}'))).toHaveLength(1)
    for (const value of ['{"__proto__":1}', '[[{"a":{"__proto__":{}}}]]', '{"\\u005f_proto__":1}']) {
      expect(refusal(progress(value))).toMatchObject({
        code: 'bad_message',
        field: 'messages[0].updates[0].progress',
      })
    }
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })

  test('[FRAME-11] leaves out what has no value, and may hold empty lists', () => {
    const options = { priority: null }
    expect(refusal([{ ...submit()[0], options }]).field).toBe('messages[0].options.priority')
    expect(refusal([{ ...submit()[0], options: null }]).field).toBe('messages[0].options')
    expect(refusal([{ type: 'hello', versions: [1], roles: ['worker'], name: null }]).field).toBe('messages[0].name')
    expect(accepted(submit())).toEqual([{ type: 'submit', ref: 1, queue: 'q', tasks: [] }])
    expect(accepted([{ type: 'heartbeat', ref: 1, leases: [] }])).toHaveLength(1)
  })

  test('[FRAME-12] that is too deep is refused before it is parsed', () => {
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
    const deep = { code: 'too_large', field: 'frame', limit: limits.depthMax }
    const framed = (depth: number) => `[{"type":"complete","ref":1,"results":[{"lease":1,"body":${nested(depth)}}]}]`
    expect(accepted(framed(limits.depthMax - 4))).toHaveLength(1)
    expect(refusal(framed(limits.depthMax - 3))).toMatchObject(deep)
    for (const unit of ['[', '{"a":', '[{"__proto__":']) {
      const bomb = unit.repeat(Math.floor((limits.frameBytesMax - 4) / unit.length))
      expect(refusal(bomb)).toMatchObject(deep)
      expect(refusal(binary(bomb))).toMatchObject(deep)
    }
    // Brackets inside strings nest nothing.
    expect(accepted([{ type: 'hello', versions: [1], roles: ['worker'], name: '["{\\'.repeat(30) }])).toHaveLength(1)
  })

  test('[FRAME-1] with a fault anywhere gives no messages, and names the place', () => {
    const good = { id, body: 1 }
    expect(refusal([...submit(), ...submit(good, good, good, { ...good, id: 'x' })])).toEqual({
      code: 'bad_message',
      message: 'A UUIDv7 in lower case is needed here.',
      field: 'messages[1].tasks[3].id',
    })
  })

  test('[FRAME-3] is as the worked example of the page shows', () => {
    const page = readFileSync(new URL('../../../PROTOCOL.md', import.meta.url), 'utf8')
    const hex = /```\n((?:[0-9a-f]{2}[ \n])+)```/.exec(page)?.[1]?.trim().split(/\s+/) ?? []
    const example = /```\n(\[\{"type":"complete".*)\n```/.exec(page)?.[1] ?? ''
    expect(hex.length).toBe(75)
    expect(example.length).toBe(69)
    const messages = accepted(Uint8Array.from(hex, (byte) => Number.parseInt(byte, 16)))
    expect(accepted(example)).toEqual(messages)
    expect(encodeFrames(messages, 'text', limits)).toEqual([example])
  })
})

describe('a body', () => {
  test('of JSON goes there and back', () => {
    for (const value of [null, 0, 'é', [1, { a: [] }], { constructor: 1 }]) {
      expect(bodyToJson(jsonBody(value))).toEqual(value)
    }
    expect(plain(jsonBody(undefined).bytes)).toBe('null')
  })

  test('that is no JSON, no UTF-8 or poisoned throws', () => {
    for (const source of ['', '{', '\uFEFF1', '{"a":{"__proto__":1}}', '{"\\u005f_proto__":1}']) {
      expect(() => bodyToJson({ bytes: utf8(source) })).toThrow(SyntaxError)
    }
    expect(() => bodyToJson({ bytes: new Uint8Array([0x22, 0xff, 0x22]) })).toThrow(TypeError)
    expect(bodyToJson(jsonBody('__proto__'))).toBe('__proto__')
  })

  test('in base64 agrees with the platform', () => {
    for (let length = 0; length < 50; length++) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 89 + length) & 255)
      const base64 = Buffer.from(bytes).toString('base64')
      expect(toBase64(bytes)).toBe(base64)
      expect(fromBase64(base64)).toEqual(bytes)
    }
  })
})

test('[VERSION-2] a hello from another version is readable', () => {
  expect(accepted([{ type: 'hello', versions: [9, 2], roles: ['producer'], region: 'x' }])).toEqual([
    { type: 'hello', versions: [9, 2], roles: ['producer'] },
  ])
})

test('[ERROR-2] an error code that is not known counts as internal', () => {
  const decoded = decodeBrokerFrame('[{"type":"error","code":"on_fire","message":"m","ref":3}]', limits)
  const expected: BrokerMessage[] = [{ type: 'error', code: 'internal', message: 'm', ref: 3 }]
  expect(decoded).toEqual({ ok: true, messages: expected })
  const inherited = decodeBrokerFrame('[{"type":"error","code":"toString","message":"m"}]', limits)
  expect(inherited).toMatchObject({ ok: true, messages: [{ code: 'internal' }] })
})

test('[MSG-1] each side reads the messages of the other side only', () => {
  const ofClient = encodeFrames([{ type: 'bye' }], 'text', limits)[0]!
  const ofBroker = encodeFrames([{ type: 'drain', retryAfterMs: 1 }], 'text', limits)[0]!
  expect(decodeClientFrame(ofBroker, limits)).toMatchObject({ ok: false, error: { code: 'bad_message' } })
  expect(decodeBrokerFrame(ofClient, limits)).toMatchObject({ ok: false, error: { code: 'bad_message' } })
})
