import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { fromBase64, toBase64 } from '../src/base64.ts'
import { Bodies } from '../src/bodies.ts'
import { bodyToJson, jsonBody, jsonText } from '../src/body.ts'
import { decodeBrokerFrame, decodeClientFrame, encodeFrames } from '../src/codec.ts'
import { parseExact } from '../src/exact-json.ts'
import { DEFAULT_LIMITS } from '../src/limits.ts'
import type { BrokerMessage, ClientMessage, Submit, Succeeded } from '../src/messages.ts'
import { settled } from './arbitraries.ts'

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
/** A submission of `count` tasks with these fields for its bodies. */
const submit = (count: number, fields: object) => [
  { type: 'submit', ref: 1, queue: 'q', ids: Array.from({ length: count }, () => id), ...fields },
]
const empty = submit(0, { bodies: [] })[0]
const bodies = (message: ClientMessage | undefined) => {
  const { bodies } = message as Submit
  return bodies.lengths.map((_, index) => plain(bodies.at(index)))
}

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
    const frame = binary(submit(3, { bytes: [2, 0, 3] }), 'abcde')
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
    const frame = binary(submit(2, { bytes: [2, 3] }), 'abcde')
    const pool = new Uint8Array(frame.length + 20)
    pool.set(frame, 13)
    const message = accepted(pool.subarray(13, 13 + frame.length))[0] as Submit
    expect(bodies(message)).toEqual(['ab', 'cde'])
    expect(message.bodies.bytes.buffer).toBe(pool.buffer)
    expect(message.bodies.at(1).buffer).toBe(pool.buffer)
  })

  test('[FRAME-4] that is binary has exactly the bytes of its bodies behind the header', () => {
    expect(bodies(accepted(binary(submit(2, { bytes: 1 }), 'ab'))[0])).toEqual(['a', 'b'])
    expect(bodies(accepted(binary(submit(0, { bytes: 7 })))[0])).toEqual([])
    for (const [count, bytes] of [
      [1, 3],
      [1, [3]],
      [2, [1, 2]],
    ]) {
      expect(refusal(binary(submit(count as number, { bytes }), 'ab'))).toMatchObject({
        code: 'bad_frame',
        field: 'messages[0].bytes',
      })
    }
    expect(refusal(binary(submit(1, { bytes: 1 }), 'ab'))).toMatchObject({ code: 'bad_frame', field: 'frame' })
    for (const bytes of [-1, 0.5, '1', null, undefined, 2 ** 60, {}]) {
      expect(refusal(binary(submit(1, { bytes }), 'ab')).field).toBe('messages[0].bytes')
      expect(refusal(binary(submit(2, { bytes: [1, bytes] }), 'ab')).field).toBe('messages[0].bytes[1]')
    }
    for (const bytes of [[], [2], [1, 1, 0]]) {
      expect(refusal(binary(submit(2, { bytes }), 'ab'))).toMatchObject({
        code: 'bad_message',
        field: 'messages[0].bytes',
      })
    }
  })

  test('[FRAME-5] of text has a body as JSON or in canonical base64, and not both', () => {
    expect(bodies(accepted(submit(2, { bodies: [null, { a: [1] }] }))[0])).toEqual(['null', '{"a":[1]}'])
    expect(bodies(accepted(submit(2, { base64: ['aGk=', ''] }))[0])).toEqual(['hi', ''])
    const refused = (fields: object) => refusal(submit(1, fields))
    expect(refused({})).toMatchObject({ code: 'bad_message', field: 'messages[0].bodies' })
    expect(refused({ bodies: [1], base64: [''] })).toMatchObject({ field: 'messages[0].base64' })
    for (const list of [[], [1, 2], {}, null, 'x']) {
      expect(refused({ bodies: list })).toMatchObject({ code: 'bad_message', field: 'messages[0].bodies' })
      expect(refused({ base64: list })).toMatchObject({ code: 'bad_message', field: 'messages[0].base64' })
    }
    for (const base64 of ['aGk', 'aGl=', 'aG-_', 'a===', '====', 'é===', 7, null]) {
      expect(refused({ base64: [base64] })).toMatchObject({ code: 'bad_message', field: 'messages[0].base64[0]' })
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
    const ids = JSON.stringify(written.map(() => id))
    const frame = `[{"type":"bye"}, {"ref":1,"x":{"bodies":[0]},"bodies":[7, 8], "b\\u006fdies" : [${written.join(',')}\n], "ids":${ids},"queue":"q","type":"submit","body":[5]},
      {"type":"submit","ref":2,"queue":"q","ids":[],"bodies":[ ]}]`
    const messages = accepted(frame)
    expect(bodies(messages[1])).toEqual(written.map((body) => body.trim()))
    expect((messages[1] as Submit).bodies.json(2)).toEqual({ a: [] })
    expect(bodies(messages[2])).toEqual([])
  })

  test('[FRAME-6] of text takes the bodies from their own place, whatever else is called bodies', () => {
    const frame = `[{"type":"complete","ref":1,"tasks":{"bodies":[1]},"leases":[1,2],"bodies":[2,{"bodies":[[9]]}]},
      {"type":"complete","ref":2,"leases":[1],"bodies":["]}{["]},{"type":"complete","ref":2,"leases":[1],"base64":["Mw=="]}]`
    expect(accepted(frame).flatMap(bodies)).toEqual(['2', '{"bodies":[[9]]}', '"]}{["', '3'])
  })

  test('[FRAME-7] states what its bodies are, and is JSON where it says nothing', () => {
    const message = (fields: object) => accepted(submit(1, fields))[0]
    expect(message({ base64: ['aGk='], contentType: 'text/plain' })).toMatchObject({ contentType: 'text/plain' })
    expect(message({ bodies: [1], contentType: 'application/json' })).not.toHaveProperty('contentType')
    const refused = (contentType: unknown) => refusal(submit(1, { base64: [''], contentType })).field
    for (const contentType of ['', ' ', 'a\nb', 'é', 1]) {
      expect(refused(contentType)).toBe('messages[0].contentType')
    }
    expect(refusal(submit(1, { bodies: [1], contentType: 'text/plain' })).field).toBe('messages[0].bodies')
  })

  test('[FRAME-8] of text gets JSON as bodies and everything else as base64', () => {
    const encoded = (...all: Uint8Array[]) => {
      const bodies = Bodies.ofPieces(
        all,
        all.map(({ length }) => length),
      )
      const succeeded: Succeeded = { type: 'succeeded', ref: 1, indexes: all.map((_, index) => index), bodies }
      const [frame] = encodeFrames([succeeded], 'text', limits)
      const decoded = decodeBrokerFrame(frame!, limits)
      if (!decoded.ok) throw new Error(JSON.stringify(decoded.error))
      expect(decoded.messages.map(settled)).toEqual([settled(succeeded)])
      return JSON.parse(frame as string)[0]
    }
    expect(encoded(utf8('{"a":1}'))).toMatchObject({ bodies: [{ a: 1 }] })
    expect(encoded(utf8('{"a":1'))).toMatchObject({ base64: ['eyJhIjox'] })
    expect(encoded(utf8('1'), utf8('2'))).toMatchObject({ bodies: [1, 2] })
    expect(encoded(utf8('1'), utf8('2,3'))).toMatchObject({ base64: ['MQ==', 'Miwz'] })
    expect(encoded(utf8('1],"x":[1'))).toHaveProperty('base64')
    expect(encoded(new Uint8Array([0xff]))).toMatchObject({ base64: ['/w=='] })
    expect(encoded(utf8('\uFEFF1'))).toHaveProperty('base64')
    expect(encoded(new Uint8Array(0))).toMatchObject({ base64: [''] })
    expect(encoded(utf8('['.repeat(61) + ']'.repeat(61)))).toHaveProperty('bodies')
    expect(encoded(utf8('['.repeat(62) + ']'.repeat(62)))).toHaveProperty('base64')
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
    const [message] = accepted(`[{"type":"submit","ref":1,"queue":"q","options":{${poison}},"ids":[],"bodies":[]}]`)
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
    expect(accepted([{ ...empty, options }])).toMatchObject([{ fault: { field: 'options.priority' } }])
    expect(accepted([{ ...empty, options: null }])).toMatchObject([{ fault: { field: 'options' } }])
    expect(refusal([{ type: 'hello', versions: [1], roles: ['worker'], name: null }]).field).toBe('messages[0].name')
    expect(accepted([empty]).map(settled)).toEqual([empty])
    expect(accepted([{ type: 'heartbeat', ref: 1, leases: [] }])).toHaveLength(1)
  })

  test('[FRAME-12] that is too deep is refused before it is parsed', () => {
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
    const deep = { code: 'too_large', field: 'frame', limit: limits.depthMax }
    const framed = (depth: number) => `[{"type":"complete","ref":1,"leases":[1],"bodies":[${nested(depth)}]}]`
    expect(accepted(framed(limits.depthMax - 3))).toHaveLength(1)
    expect(refusal(framed(limits.depthMax - 2))).toMatchObject(deep)
    for (const unit of ['[', '{"a":', '[{"__proto__":']) {
      const bomb = unit.repeat(Math.floor((limits.frameBytesMax - 4) / unit.length))
      expect(refusal(bomb)).toMatchObject(deep)
      expect(refusal(binary(bomb))).toMatchObject(deep)
    }
    // Brackets inside strings nest nothing.
    expect(accepted([{ type: 'hello', versions: [1], roles: ['worker'], name: '["{\\'.repeat(30) }])).toHaveLength(1)
  })

  test('[FRAME-1] with a fault anywhere gives no messages, and names the place', () => {
    expect(refusal([empty, { ...empty, ids: [id, id, id, 'x'], bodies: [1, 2, 3, 4] }])).toEqual({
      code: 'bad_message',
      message: 'A UUIDv7 in lower case is needed here.',
      field: 'messages[1].ids[3]',
    })
  })

  test('[FRAME-3] is as the worked example of the page shows', () => {
    const page = readFileSync(new URL('../../../PROTOCOL.md', import.meta.url), 'utf8')
    const hex = /```\n((?:[0-9a-f]{2}[ \n])+)```/.exec(page)?.[1]?.trim().split(/\s+/) ?? []
    const example = /```\n(\[\{"type":"complete".*)\n```/.exec(page)?.[1] ?? ''
    expect(hex.length).toBe(64)
    expect(example.length).toBe(62)
    const frame = Uint8Array.from(hex, (byte) => Number.parseInt(byte, 16))
    const messages = accepted(frame)
    expect(accepted(example).map(settled)).toEqual(messages.map(settled))
    expect(encodeFrames(messages, 'text', limits)).toEqual([example])
    expect(encodeFrames(messages, 'binary', limits)).toEqual([frame])
  })
})

function decodedOf(all: Uint8Array[]): Bodies {
  return Bodies.ofPieces(
    all,
    all.map(({ length }) => length),
  )
}

function resultOf(read: () => unknown): unknown {
  try {
    return read()
  } catch (error) {
    return (error as Error).name
  }
}

describe('a body', () => {
  test('of JSON goes there and back', () => {
    for (const value of [null, 0, 'é', [1, { a: [] }], { constructor: 1 }]) {
      expect(bodyToJson(jsonBody(value))).toEqual(value)
    }
    expect(plain(jsonBody(undefined).bytes)).toBe('null')
  })

  test('of numbers that JavaScript would spell otherwise is read and written as it is', () => {
    const text = '{"a":[12345678901234567890,1.10,-0,1e400,7],"b":"1.10","__proto__":1E5}'
    expect(jsonText(parseExact(text))).toBe(text)
    expect(parseExact('[0.1,7,-3,"x",null]')).toEqual([0.1, 7, -3, 'x', null])
    expect(() => parseExact('{')).toThrow(SyntaxError)
  })

  test('that is no JSON, no UTF-8 or poisoned throws', () => {
    for (const source of ['', '{', '\uFEFF1', '{"a":{"__proto__":1}}', '{"\\u005f_proto__":1}']) {
      expect(() => bodyToJson({ bytes: utf8(source) })).toThrow(SyntaxError)
    }
    expect(() => bodyToJson({ bytes: new Uint8Array([0x22, 0xff, 0x22]) })).toThrow(TypeError)
    expect(bodyToJson(jsonBody('__proto__'))).toBe('__proto__')
  })

  test('is read from a list of bodies as by itself, whatever its neighbours are', () => {
    const sources = ['{"a":1}', '"é"', '[', '{"__proto__":1}', '"\\u0041"', '12']
    for (const kept of [sources, sources.filter((source) => source !== '"é"')]) {
      const all = kept.map(utf8)
      for (const bodies of [Bodies.ofTexts(kept), decodedOf(all), decodedOf([...all, new Uint8Array([0xff])])]) {
        for (const [index, bytes] of all.entries()) {
          expect(plain(bodies.at(index))).toBe(kept[index])
          expect(resultOf(() => bodies.json(index))).toEqual(resultOf(() => bodyToJson({ bytes })))
        }
      }
    }
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
