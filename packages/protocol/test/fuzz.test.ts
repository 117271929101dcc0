import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Decoded, decodeBrokerFrame, decodeClientFrame, encodeFrames } from '../src/codec.ts'
import { DEFAULT_LIMITS, type Limits } from '../src/limits.ts'
import { brokerMessage, clientMessage } from './arbitraries.ts'

// Small limits bring the bounds into the generators' reach.
const LIMITS: readonly Limits[] = [
  DEFAULT_LIMITS,
  {
    ...DEFAULT_LIMITS,
    frameBytesMax: 600,
    frameMessagesMax: 3,
    batchItemsMax: 2,
    bodyBytesMax: 50,
    depthMax: 6,
    nameLengthMax: 12,
    messageLengthMax: 20,
  },
]

// Each frame is judged by both decoders under both sets of limits.
let frames = 0
let accepted = 0
let refused = 0

function judge(decoded: Decoded<unknown>): void {
  if (decoded.ok) {
    accepted++
    if (!Array.isArray(decoded.messages)) throw new Error('no messages')
    return
  }
  refused++
  const { code, message, field, limit } = decoded.error
  if (code !== 'bad_frame' && code !== 'bad_message' && code !== 'too_large') throw new Error(`code ${code}`)
  if (message === '' || !field) throw new Error('an error has to name the field at fault')
  if (code === 'too_large' && typeof limit !== 'number') throw new Error('too_large has to name the limit')
}

function decodeAll(frame: string | Uint8Array): void {
  frames++
  for (const limits of LIMITS) {
    judge(decodeClientFrame(frame, limits))
    judge(decodeBrokerFrame(frame, limits))
  }
}

const seed = fc.sample(fc.integer(), 1)[0]!
const message = fc.oneof(clientMessage, brokerMessage)
const messages = fc.array(message, { minLength: 1, maxLength: 3 })

type Mutation = { kind: 'flip' | 'cut' | 'drop' | 'copy' | 'put'; at: number; length: number; byte: number }
const mutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom('flip', 'cut', 'drop', 'copy', 'put'),
  at: fc.double({ min: 0, max: 0.999, noNaN: true }),
  length: fc.integer({ min: 1, max: 40 }),
  byte: fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(...[...'[]{}",:0-\\n'].map((c) => c.charCodeAt(0)))),
})

function mutate(frame: Uint8Array, { kind, at, length, byte }: Mutation): Uint8Array {
  const start = Math.floor(at * frame.length)
  switch (kind) {
    case 'flip': {
      const copy = frame.slice()
      copy[start] = (copy[start] ?? 0) ^ (1 << (byte & 7))
      return copy
    }
    case 'put': {
      const copy = frame.slice()
      copy[start] = byte
      return copy
    }
    case 'cut':
      return frame.slice(0, start)
    case 'drop':
      return join(frame.slice(0, start), frame.slice(start + length))
    case 'copy':
      return join(frame.slice(0, start + length), frame.slice(start))
  }
}

function join(a: Uint8Array, b: Uint8Array): Uint8Array {
  const joined = new Uint8Array(a.length + b.length)
  joined.set(a)
  joined.set(b, a.length)
  return joined
}

const utf8 = new TextEncoder()
const lenient = new TextDecoder()

/** The header in a binary frame with the right length in front, so that damage gets past the prefix. */
function framed(header: Uint8Array, bodies: Uint8Array): Uint8Array {
  const prefix = new Uint8Array(4)
  new DataView(prefix.buffer).setUint32(0, header.length)
  return join(join(prefix, header), bodies)
}

test('[FRAME-1] mutated frames give messages or one coded error that names field and limit', () => {
  fc.assert(
    fc.property(messages, messages, fc.array(mutation, { minLength: 5, maxLength: 5 }), (one, other, mutations) => {
      const binary = encodeFrames(one, 'binary', DEFAULT_LIMITS)[0] as Uint8Array
      const text = utf8.encode(encodeFrames(one, 'text', DEFAULT_LIMITS)[0] as string)
      const second = encodeFrames(other, 'binary', DEFAULT_LIMITS)[0] as Uint8Array
      decodeAll(join(binary.slice(0, Math.floor(mutations[0]!.at * binary.length)), second))
      let worse = binary
      for (const step of mutations) {
        decodeAll(mutate(binary, step))
        worse = mutate(worse, step)
        decodeAll(worse)
        const mutatedText = mutate(text, step)
        decodeAll(lenient.decode(mutatedText))
        // The same text as a header: inline bodies stand where lengths should.
        decodeAll(framed(mutatedText, binary.slice(0, step.length)))
      }
    }),
    { numRuns: 4200, seed },
  )
}, 60_000)

const names = [
  ...['type', 'ref', 'queue', 'tasks', 'id', 'bytes', 'bodies', 'base64', 'contentType', 'options', 'retry', 'kind'],
  ...[
    'lease',
    'leases',
    'indexes',
    'attempts',
    'failures',
    'error',
    'message',
    'code',
    'versions',
    'roles',
    'resume',
    'session',
  ],
  ...['progress', 'updates', 'refused', 'index', 'limits', 'credit', 'queues', 'ids', '__proto__', 'constructor'],
  ...['begins', 'begun', 'start'],
  ...['toString', 'hasOwnProperty', 'length', 'prototype'],
]
const types = fc.constantFrom(
  ...[
    'hello',
    'submit',
    'credit',
    'begin',
    'heartbeat',
    'reportProgress',
    'complete',
    'fail',
    'release',
    'cancel',
    'query',
  ],
  ...['watch', 'unwatch', 'bye', 'ping', 'pong', 'welcome', 'submitted', 'deliver', 'renewed'],
  ...['settled', 'revoke', 'cancelled', 'status', 'watched', 'succeeded', 'ended', 'progress', 'drain', 'error'],
  ...['__proto__', 'constructor', ''],
)
const { value } = fc.letrec<{ value: unknown; object: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.oneof(
      fc.integer(),
      fc.double(),
      fc.string({ maxLength: 20 }),
      fc.boolean(),
      fc.constant(null),
      fc.uuid(),
      types,
    ),
    fc.array(tie('value'), { maxLength: 3 }),
    tie('object'),
  ),
  object: fc.dictionary(fc.constantFrom(...names), tie('value'), { maxKeys: 5 }),
}))
const looseMessage = fc
  .tuple(types, fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 6 }))
  .map(([type, fields]) => ({ ...fields, type }))

test('[FRAME-1] random JSON with the fields of real messages gives messages or one coded error', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.array(looseMessage, { maxLength: 4 }), value),
      fc.uint8Array({ maxLength: 20 }),
      (json, rest) => {
        const source = JSON.stringify(json) ?? 'null'
        decodeAll(source)
        decodeAll(framed(utf8.encode(source), rest))
      },
    ),
    { numRuns: 10_000, seed },
  )
}, 60_000)

test('[FRAME-1] random bytes give messages or one coded error', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.string({ unit: 'binary', maxLength: 60 }), (bytes, source) => {
      decodeAll(bytes)
      decodeAll(source)
      decodeAll(framed(bytes, new Uint8Array(0)))
    }),
    { numRuns: 3000, seed },
  )
}, 60_000)

test('the fuzzing above judged at least 100,000 frames, of which some were good', () => {
  expect(frames).toBeGreaterThanOrEqual(100_000)
  expect(accepted).toBeGreaterThan(1000)
  expect(refused).toBeGreaterThan(50_000)
})
