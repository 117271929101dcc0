import { Bodies, type ClientMessage, encodeFrames, type FrameKind, type Limits } from '@sluice/protocol'
import type { RandomStream } from '../random.ts'
import type { Misdeed } from '../scenario.ts'

/** What a stranger sends on one connection: before a welcome, and after it. */
export interface Conversation {
  readonly first: readonly (string | Uint8Array)[]
  readonly welcomed: readonly (string | Uint8Array)[]
}

export interface MisdeedSurroundings {
  chance: RandomStream
  limits: Limits
  kind: FrameKind
  nextId: () => string
}

/** No frames of this protocol, or frames of messages that no broker reads. */
const NONSENSE: readonly string[] = [
  '',
  '{}',
  '[null]',
  '[{"type":"dance"}]',
  '[{"type":"ping","ref":-1}]',
  '[{"type":"ping","ref":1,"ref":1.5}]',
  '[{"type":"renewed","ref":1,"lost":[]}]',
  '[{"type":"submit","ref":1,"queue":"no name","ids":[],"bodies":[]}]',
  '[{"type":"submit","ref":1,"queue":"mail","ids":["1"],"bodies":[1]}]',
  '[{"type":"submit","ref":1,"queue":"mail","options":{"priority":11},"ids":[],"bodies":[]}]',
  '[{"type":"submit","ref":1,"queue":"mail","options":{"retry":{"kind":"often"}},"ids":[],"bodies":[]}]',
  '[{"type":"submit","ref":1,"queue":"mail","contentType":"text/plain","ids":[],"bodies":[]}]',
  '[{"type":"submit","ref":1,"queue":"mail","ids":[],"base64":["?"]}]',
  '[{"type":"submit","ref":1,"queue":"mail","options":null,"ids":[],"bodies":[]}]',
  '[{"type":"reportProgress","updates":[{"lease":1,"progress":{"__proto__":1}}]}]',
  '[{"type":"heartbeat","ref":1,"leases":[[1,99999999999]]}]',
  '[{"type":"heartbeat","ref":1}]',
]
/** A lease that nobody holds. */
const STRANGE_LEASE = 2_000_000_000
const QUEUES_AT_ONCE = 3
const SMALL_BYTES = 32_768
/** Handlers may hang, but not for ever. */
const TIME_LIMIT_MS = 500

/** What a misdeed does on one connection. */
export function conversationOf(misdeed: Misdeed, surroundings: MisdeedSurroundings): Conversation {
  const { chance, kind, limits, nextId } = surroundings
  const frames = (...messages: ClientMessage[]): (string | Uint8Array)[] => encodeFrames(messages, kind, limits)
  const hello = (...roles: ('producer' | 'worker')[]): (string | Uint8Array)[] =>
    frames({ type: 'hello', versions: [1], roles, name: 'stranger' })
  switch (misdeed) {
    case 'speaksOtherVersions':
      return { first: frames({ type: 'hello', versions: [2, 7], roles: ['producer'] }), welcomed: [] }
    case 'forgetsHello':
      return { first: frames({ type: 'ping', ref: 1 }), welcomed: [] }
    case 'repeatsHello':
      return { first: hello('producer'), welcomed: hello('producer') }
    case 'saysNonsense':
      return {
        first: chance.chance(0.7) ? hello('producer', 'worker') : [chance.pick(NONSENSE)],
        welcomed: chance.chance(0.2) ? [chance.bytes(chance.integer(0, 40))] : [chance.pick(NONSENSE)],
      }
    case 'actsAsWorker':
      return {
        first: hello('producer'),
        welcomed: frames(
          { type: 'credit', credit: 1, queues: ['mail'] },
          { type: 'heartbeat', ref: 1, leases: [1] },
          { type: 'release', ref: 2, leases: [1] },
          { type: 'fail', ref: 3, failures: [{ lease: 1, error: { message: 'mine' } }] },
          { type: 'reportProgress', updates: [{ lease: 1, progress: 1 }] },
        ),
      }
    case 'passesLimits':
      return { first: hello('producer', 'worker'), welcomed: [pastLimit(surroundings)] }
    case 'repeatsIds': {
      const submit = (ref: number, ids: string[], texts: string[]): ClientMessage => ({
        type: 'submit',
        ref,
        queue: 'mail',
        options: { timeLimitMs: TIME_LIMIT_MS },
        ids,
        bodies: Bodies.ofTexts(texts.map((text) => JSON.stringify(`stranger ${text}`))),
      })
      const [one, other] = [nextId(), nextId()]
      return {
        first: hello('producer'),
        welcomed: frames(submit(1, [one, one], ['a', 'a']), submit(2, [other, other], ['a', 'another'])),
      }
    }
    case 'opensSessions':
      return { first: hello('producer', 'worker'), welcomed: [] }
    case 'namesQueues':
      return {
        first: hello('worker'),
        welcomed: frames({
          type: 'credit',
          credit: 1,
          queues: Array.from({ length: QUEUES_AT_ONCE }, () => `strange-${chance.integer(1, 99)}`),
        }),
      }
    case 'asksForAnything': {
      const ids = Array.from({ length: Math.min(2, limits.batchItemsMax) }, nextId)
      const leases = [STRANGE_LEASE]
      return {
        first: hello('producer', 'worker'),
        welcomed: frames(
          { type: 'query', ref: 1, ids },
          { type: 'watch', ref: 2, ids },
          { type: 'unwatch', ids },
          { type: 'cancel', ref: 3, ids },
          { type: 'heartbeat', ref: 4, leases },
          { type: 'fail', ref: 5, failures: [{ lease: STRANGE_LEASE, error: { message: 'mine' } }] },
          { type: 'pong', ref: 6 },
        ),
      }
    }
  }
}

/** A frame that exceeds one of the limits by one. */
function pastLimit({ chance, limits, nextId }: MisdeedSurroundings): string {
  const { batchItemsMax, bodyBytesMax, frameBytesMax, frameMessagesMax, depthMax, nameLengthMax } = limits
  const { creditMax, sessionQueuesMax, progressBytesMax, stackLengthMax } = limits
  const text = (...messages: object[]): string => JSON.stringify(messages)
  const failure = (units: number): string =>
    text({ type: 'fail', ref: 1, failures: [{ lease: 1, error: { message: 'm', stack: 's'.repeat(units) } }] })
  const credit = (count: number, queues: string[]): string => text({ type: 'credit', credit: count, queues })
  // There are too many larger ones, and they cost more than they show.
  const isSmall = frameBytesMax < SMALL_BYTES
  return chance.pick<() => string>([
    () => text({ type: 'query', ref: 1, ids: Array.from({ length: batchItemsMax + 1 }, nextId) }),
    () => text(...Array.from({ length: frameMessagesMax + 1 }, (_, ref) => ({ type: 'pong', ref }))),
    () => '['.repeat(depthMax + 1),
    () => text({ type: 'submit', ref: 1, queue: 'q'.repeat(nameLengthMax + 1), ids: [], bodies: [] }),
    () => credit(creditMax + 1, ['mail']),
    () =>
      credit(
        1,
        Array.from({ length: sessionQueuesMax + 1 }, (_, at) => `strange-${at}`),
      ),
    () => text({ type: 'reportProgress', updates: [{ lease: 1, progress: 'p'.repeat(progressBytesMax - 1) }] }),
    () => failure(stackLengthMax + 1),
    ...(isSmall
      ? [
          () => text({ type: 'ping', ref: 1 }).padEnd(frameBytesMax + 1),
          () =>
            text({ type: 'submit', ref: 1, queue: 'mail', ids: [nextId()], bodies: ['a'.repeat(bodyBytesMax - 1)] }),
        ]
      : []),
  ])()
}
