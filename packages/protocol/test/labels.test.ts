import { describe, expect, test } from 'vitest'
import { decodeClientFrame } from '../src/codec.ts'
import { LABEL_NAME_LENGTH_MAX, LABEL_VALUE_LENGTH_MAX, LABELS_BYTES_MAX, LABELS_MAX } from '../src/labels.ts'
import { DEFAULT_LIMITS } from '../src/limits.ts'

const hello = (labels: unknown) =>
  decodeClientFrame(JSON.stringify([{ type: 'hello', versions: [1], roles: ['worker'], labels }]), DEFAULT_LIMITS)
const refused = (code: string, field: string, rest: object = {}) => ({
  ok: false,
  error: { code, field: `messages[0].${field}`, ...rest },
})
/** As many labels, with names of two characters and values of this length. */
const many = (count: number, length = 0) =>
  Object.fromEntries(
    Array.from({ length: count }, (_, i) => [`${'abcd'[i >> 4]}${(i & 15).toString(16)}`, 'x'.repeat(length)]),
  )

describe('[HELLO-4] the labels of a worker', () => {
  test('are values by name', () => {
    const labels = { browser: '', cores: '8', memoryGb: '0.5', 'gpu.model': 'é 漢 😀', constructor: 'x' }
    expect(hello(labels)).toMatchObject({ ok: true, messages: [{ labels }] })
    expect(hello({})).toMatchObject({ ok: true, messages: [{ labels: {} }] })
    const silent = hello(undefined)
    expect(silent.ok && silent.messages[0]).not.toHaveProperty('labels')
  })

  test('are an object of texts', () => {
    for (const labels of [null, 'gpu', 1, ['gpu'], true]) {
      expect(hello(labels)).toMatchObject(refused('bad_message', 'labels'))
    }
    for (const gpu of [null, 1, true, {}, ['x']]) {
      expect(hello({ cores: '8', gpu })).toMatchObject(refused('bad_message', 'labels.gpu'))
    }
  })

  test('have names that a condition can be written with', () => {
    for (const name of ['', '8cores', '_x', 'memory>=4', 'a b', 'é', 'a:b', ' gpu', 'gpu\n']) {
      expect(hello({ [name]: '' })).toMatchObject(refused('bad_message', 'labels'))
    }
    // Written by hand, because it is no ordinary key of an object.
    const frame = '[{"type":"hello","versions":[1],"roles":["worker"],"labels":{"__proto__":"x"}}]'
    expect(decodeClientFrame(frame, DEFAULT_LIMITS)).toMatchObject(refused('bad_message', 'labels'))
  })

  test('are bounded in number, length and bytes', () => {
    expect(hello(many(LABELS_MAX))).toMatchObject({ ok: true })
    expect(hello(many(LABELS_MAX + 1))).toMatchObject(refused('too_large', 'labels', { limit: LABELS_MAX }))
    const name = 'n'.repeat(LABEL_NAME_LENGTH_MAX)
    expect(hello({ [name]: '' })).toMatchObject({ ok: true })
    expect(hello({ [`${name}n`]: '' })).toMatchObject(refused('too_large', 'labels', { limit: LABEL_NAME_LENGTH_MAX }))
    const value = '漢'.repeat(LABEL_VALUE_LENGTH_MAX)
    expect(hello({ a: value })).toMatchObject({ ok: true })
    expect(hello({ a: `${value}x` })).toMatchObject(refused('too_large', 'labels.a', { limit: LABEL_VALUE_LENGTH_MAX }))
    const most = many(LABELS_BYTES_MAX / 128, 126)
    expect(hello(most)).toMatchObject({ ok: true })
    expect(hello({ ...most, e: '' })).toMatchObject(refused('too_large', 'labels', { limit: LABELS_BYTES_MAX }))
    // Bytes count, not characters.
    const wide = { a: value, b: value, c: value, d: value, e: value, f: value }
    expect(hello(wide)).toMatchObject(refused('too_large', 'labels', { limit: LABELS_BYTES_MAX }))
  })
})
