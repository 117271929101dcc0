import {
  Bodies,
  type BrokerMessage,
  type ClientMessage,
  DEFAULT_LIMITS,
  decodeBrokerFrame,
  decodeClientFrame,
  encodeFrames,
} from '@sluice/protocol'
import { describe, expect, test } from 'vitest'
import { Liar } from '../../src/network/liar.ts'
import { Overdraft } from '../../src/network/overdraft.ts'
import { TextSpeaker } from '../../src/network/text-speaker.ts'
import { Process } from '../../src/nodes/process.ts'
import { RandomSource } from '../../src/random.ts'
import type { Falsehood } from '../../src/scenario.ts'
import { makeContext } from '../surroundings.ts'

const ids = Array.from({ length: 3 }, (_, i) => `0190b6e2-1c4f-7d3a-8e5b-9f2a6c7d8e0${i}`)

function encode(message: ClientMessage | BrokerMessage): string | Uint8Array {
  return encodeFrames([message], 'binary', DEFAULT_LIMITS)[0] as Uint8Array
}

function decode(frames: readonly (string | Uint8Array)[]): ClientMessage[] {
  return frames.flatMap((frame) => {
    const decoded = decodeClientFrame(frame, DEFAULT_LIMITS)
    if (!decoded.ok) throw new Error(decoded.error.message)
    return decoded.messages
  })
}

function makeLiar(...falsehoods: Falsehood[]) {
  const { context, clock } = makeContext()
  const process = new Process(context, 'worker-1', 1, { clockOffsetMs: 0, lateMs: 0, resumesAtMs: 0 })
  const liar = new Liar(falsehoods, new RandomSource(1).stream('lies'), process, {
    limits: DEFAULT_LIMITS,
    kind: 'binary',
  })
  const late: ClientMessage[] = []
  liar.opened((frame) => late.push(...decode([frame])))
  return {
    clock,
    late,
    say: (message: ClientMessage) => decode(liar.outgoing(encode(message))),
    sayRaw: (message: ClientMessage) => liar.outgoing(encode(message)),
    hear: (message: BrokerMessage) => liar.incoming(encode(message)),
  }
}

const deliver = (...leases: number[]): BrokerMessage => ({
  type: 'deliver',
  queue: 'q',
  leaseMs: 30_000,
  ids: ids.slice(0, leases.length),
  leases,
  bodies: Bodies.ofTexts(leases.map(() => '1')),
})
const complete = (ref: number, lease: number): ClientMessage => ({
  type: 'complete',
  ref,
  leases: [lease],
  bodies: Bodies.ofTexts(['1']),
})

describe('a worker that lies', () => {
  test('about nothing says what its program said', () => {
    const { say } = makeLiar()
    expect(say({ type: 'heartbeat', ref: 1, leases: [5] })).toEqual([{ type: 'heartbeat', ref: 1, leases: [5] }])
  })

  test('settles leases of others, and never one that it holds', () => {
    const { say, hear } = makeLiar('inventsLeases')
    hear(deliver(7, 9, 10))
    const settled: number[] = []
    for (let ref = 1; ref < 200; ref += 1) {
      for (const message of say({ type: 'ping', ref })) {
        if (message.type === 'fail') settled.push(...message.failures.map(({ lease }) => lease))
        else if (message.type !== 'ping') settled.push(...(message as { leases: number[] }).leases)
      }
    }
    expect(settled.length).toBeGreaterThan(20)
    expect(settled.filter((lease) => [7, 9, 10].includes(lease))).toEqual([])
    expect(settled).toContain(8)
  })

  test('says every settlement twice', () => {
    const { say } = makeLiar('repeats')
    expect(say(complete(1, 5)).map(({ type }) => type)).toEqual(['complete', 'complete'])
    expect(say({ type: 'ping', ref: 2 })).toHaveLength(1)
  })

  test('names each lease twice in some settlements, and tells its program nothing of the second ones', () => {
    const { say, hear } = makeLiar('repeatsItems')
    const error = { code: 'lease_lost', message: 'gone' } as const
    let doubled = 0
    for (let ref = 1; ref <= 60; ref += 1) {
      const [said] = say(complete(ref, 5))
      if (said?.type !== 'complete') throw new Error('another message')
      const frames = hear({ type: 'settled', ref, refused: [0, 1].map((index) => ({ index, error })) })
      const heard = decodeBrokerFrame(frames[0] as Uint8Array, DEFAULT_LIMITS)
      if (!heard.ok) throw new Error(heard.error.message)
      const [settled] = heard.messages
      if (settled?.type !== 'settled') throw new Error('another message')
      if (said.leases.length === 2) {
        doubled += 1
        expect(said).toMatchObject({ leases: [5, 5], bodies: { count: 2 } })
        expect(settled.refused.map(({ index }) => index)).toEqual([0])
      } else expect(settled.refused).toHaveLength(2)
    }
    expect(doubled).toBeGreaterThan(5)
    expect(doubled).toBeLessThan(50)
  })

  test('sends no heartbeats, and something in their place, so that it is not taken for dead', () => {
    const { say } = makeLiar('neverBeats')
    expect(say({ type: 'heartbeat', ref: 4, leases: [5] })).toEqual([{ type: 'ping', ref: 4 }])
  })

  test('settles again, a while later, what the broker has confirmed, and nothing else', () => {
    const { say, hear, clock, late } = makeLiar('settlesLate')
    for (let lease = 1; lease <= 40; lease += 1) {
      hear(deliver(lease))
      say(complete(lease, lease))
      if (lease <= 20) hear({ type: 'settled', ref: lease, refused: [] })
    }
    expect(late).toEqual([])
    clock.advance(60_000)
    const leases = late.flatMap((message) =>
      message.type === 'fail' ? message.failures.map(({ lease }) => lease) : (message as { leases: number[] }).leases,
    )
    expect(leases.length).toBeGreaterThan(2)
    expect(leases.every((lease) => lease <= 20)).toBe(true)
  })

  test('claims to hold leases of others when it resumes, and only then', () => {
    const { say, hear } = makeLiar('resumesStrangers')
    hear(deliver(7, 9))
    const hello: ClientMessage = { type: 'hello', versions: [1], roles: ['worker'] }
    expect(say(hello)).toEqual([hello])
    const [said] = say({ ...hello, resume: { session: 's', leases: [7, 9] } })
    if (said?.type !== 'hello') throw new Error('another message')
    expect(said.resume?.leases.slice(0, 2)).toEqual([7, 9])
    expect(said.resume?.leases.length).toBeGreaterThan(2)
  })

  test('babbles now and then: what it sends is no frame', () => {
    const { sayRaw } = makeLiar('babbles')
    let babble = 0
    for (let ref = 1; ref <= 500; ref += 1) {
      for (const frame of sayRaw({ type: 'ping', ref })) {
        if (!decodeClientFrame(frame, DEFAULT_LIMITS).ok) babble += 1
      }
    }
    expect(babble).toBeGreaterThan(2)
    expect(babble).toBeLessThan(30)
  })

  test('withholds its hello on some connections', () => {
    const { say } = makeLiar('withholdsHello')
    const said = Array.from({ length: 100 }, () => say({ type: 'hello', versions: [1], roles: ['worker'] }).length)
    expect(new Set(said)).toEqual(new Set([0, 1]))
  })
})

test('who speaks text says the same in text', () => {
  const frames = new TextSpeaker(DEFAULT_LIMITS).outgoing(encode(complete(1, 5)))
  expect(frames).toEqual(['[{"type":"complete","ref":1,"leases":[5],"bodies":[1]}]'])
})

test('who overdraws is told of more credit than there is, and of everything else as it is', () => {
  const overdraft = new Overdraft(DEFAULT_LIMITS)
  const welcome: BrokerMessage = {
    type: 'welcome',
    version: 1,
    session: 's',
    resumed: false,
    lostLeases: [],
    submitCredit: 3,
    heartbeatMs: 5000,
    graceMs: 10_000,
    durability: 'strict',
    limits: { ...DEFAULT_LIMITS },
  }
  const [frame] = overdraft.incoming(encode(welcome))
  const decoded = decodeBrokerFrame(frame as Uint8Array, DEFAULT_LIMITS)
  expect(decoded).toEqual({ ok: true, messages: [{ ...welcome, submitCredit: 100_000 }] })
  const pong = encode({ type: 'pong', ref: 1 })
  expect(overdraft.incoming(pong)[0]).toBe(pong)
})
