import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Decoded, decodeBrokerFrame, decodeClientFrame, encodeFrames, type FrameKind } from '../src/codec.ts'
import { DEFAULT_LIMITS, type Limits } from '../src/limits.ts'
import type { Message } from '../src/messages.ts'
import { brokerMessage, clientMessage, settled } from './arbitraries.ts'

const limits = DEFAULT_LIMITS

function roundTrip<M extends Message>(
  messages: readonly M[],
  kind: FrameKind,
  decode: (frame: string | Uint8Array, limits: Limits) => Decoded<M>,
): M[] {
  return encodeFrames(messages, kind, limits).flatMap((frame) => {
    expect(typeof frame).toBe(kind === 'text' ? 'string' : 'object')
    const decoded = decode(frame, limits)
    if (!decoded.ok) throw new Error(JSON.stringify(decoded.error))
    return decoded.messages
  })
}

/** JSON in a text frame may lose the white space around it, and nothing else. */
function trimmed(message: object): object {
  return 'bodies' in message ? { ...message, bodies: (message.bodies as string[]).map((text) => text.trim()) } : message
}

describe.each(['text', 'binary'] as const)('%s frames', (kind) => {
  test('[MSG-1] every message of a client arrives as it was sent', () => {
    fc.assert(
      fc.property(fc.array(clientMessage, { maxLength: 5 }), (messages) => {
        const received = roundTrip(messages, kind, decodeClientFrame)
        if (kind === 'binary') expect(received.map(settled)).toEqual(messages.map(settled))
        else expect(received.map(settled).map(trimmed)).toEqual(messages.map(settled).map(trimmed))
      }),
      { numRuns: 1500 },
    )
  })

  test('[MSG-1] every message of a broker arrives as it was sent', () => {
    fc.assert(
      fc.property(fc.array(brokerMessage, { maxLength: 5 }), (messages) => {
        const received = roundTrip(messages, kind, decodeBrokerFrame)
        if (kind === 'binary') expect(received.map(settled)).toEqual(messages.map(settled))
        else expect(received.map(settled).map(trimmed)).toEqual(messages.map(settled).map(trimmed))
      }),
      { numRuns: 1500 },
    )
  })

  test('the generators reach every type of message', () => {
    const seen = new Set<string>()
    for (const message of fc.sample(fc.oneof(clientMessage, brokerMessage), { numRuns: 3000, seed: 1 })) {
      seen.add(message.type)
    }
    expect(seen.size).toBe(33)
  })
})

test('a frame that was decoded and encoded again is the same frame', () => {
  fc.assert(
    fc.property(fc.array(brokerMessage, { minLength: 1, maxLength: 5 }), (messages) => {
      const [frame] = encodeFrames(messages, 'binary', limits)
      const decoded = decodeBrokerFrame(frame!, limits)
      if (!decoded.ok) throw new Error(JSON.stringify(decoded.error))
      expect(encodeFrames(decoded.messages, 'binary', limits)[0]).toEqual(frame)
    }),
    { numRuns: 500 },
  )
})
