import { expect, test } from 'vitest'
import { decodeBrokerFrame, decodeClientFrame } from '../src/codec.ts'
import { DEFAULT_LIMITS } from '../src/limits.ts'

const id = '01890a5d-ac96-774b-bcce-b302099a8057'
const client = (message: object) => decodeClientFrame(JSON.stringify([message]), DEFAULT_LIMITS)
const broker = (message: object) => decodeBrokerFrame(JSON.stringify([message]), DEFAULT_LIMITS)
const hello = (fields: object) => client({ type: 'hello', versions: [1], roles: ['worker'], ...fields })
const deliver = (fields: object) =>
  broker({ type: 'deliver', queue: 'q', leaseMs: 1000, ids: [id], leases: [1], bodies: [1], ...fields })
const refused = (code: string, field: string) => ({ ok: false, error: { code, field: `messages[0].${field}` } })

test('[BEGIN-1] begin names one lease', () => {
  const most = Number.MAX_SAFE_INTEGER
  for (const lease of [0, 41, most]) {
    expect(client({ type: 'begin', lease })).toEqual({ ok: true, messages: [{ type: 'begin', lease }] })
  }
  for (const lease of [undefined, null, '1', 1.5, [1], -1]) {
    expect(client({ type: 'begin', lease })).toMatchObject(refused('bad_message', 'lease'))
  }
  expect(client({ type: 'begin', lease: most + 1 })).toMatchObject(refused('bad_message', 'lease'))
})

test('[BEGIN-1] a start that is not known counts as alone, and one that is no text is refused', () => {
  const startOf = (start: unknown) => {
    const decoded = deliver({ start })
    return decoded.ok ? (decoded.messages[0] as { start?: string }).start : decoded.error.field
  }
  expect(['announced', 'alone', 'later', ''].map(startOf)).toEqual(['announced', 'alone', 'alone', 'alone'])
  expect(startOf(undefined)).toBe(undefined)
  for (const start of [null, true, 1, ['alone']]) expect(startOf(start)).toBe('messages[0].start')
})

test('begins is true or false, and false is as if it were left out', () => {
  const welcome = { type: 'welcome', version: 1, session: 's', resumed: false, lostLeases: [], submitCredit: 1 }
  const terms = { heartbeatMs: 1, graceMs: 1, durability: 'memory', limits: {} }
  for (const say of [hello, (fields: object) => broker({ ...welcome, ...terms, ...fields })]) {
    expect(say({ begins: true })).toMatchObject({ ok: true, messages: [{ begins: true }] })
    const silent = say({})
    expect(silent.ok).toBe(true)
    expect(say({ begins: false })).toEqual(silent)
    for (const begins of [null, 1, 'true']) expect(say({ begins })).toMatchObject(refused('bad_message', 'begins'))
  }
})

test('a resumption may say up to which lease deliveries have been begun', () => {
  const resume = (fields: object) => hello({ resume: { session: 's', leases: [], ...fields } })
  expect(resume({ begun: 7 })).toMatchObject({ messages: [{ resume: { begun: 7 } }] })
  const silent = resume({})
  expect(silent.ok && silent.messages[0]).not.toHaveProperty('resume.begun')
  for (const begun of [null, '1', -1, 0.5]) {
    expect(resume({ begun })).toMatchObject(refused('bad_message', 'resume.begun'))
  }
})
