import { Bodies } from '@sluice/protocol'
import { expect, test } from 'vitest'
import { StreamHash } from '../src/stream-hash.ts'

function hashOf(...values: unknown[]): string {
  const hash = new StreamHash()
  for (const value of values) hash.add(value)
  return hash.digest
}

test('equal values have equal hashes, and each of these another', () => {
  const values: unknown[] = [
    0,
    1,
    -1,
    0.5,
    2 ** 40,
    '',
    'a',
    'b',
    'ab',
    null,
    undefined,
    true,
    false,
    [],
    [1],
    [[1]],
    [1, 2],
    [2, 1],
    {},
    { a: 1 },
    { a: 1, b: 2 },
    { a: [1, 2] },
    new Uint8Array([1]),
    new Uint8Array([1, 2]),
    Bodies.ofTexts(['"a"']),
    Bodies.ofTexts(['"b"']),
  ]
  const hashes = values.map((value) => hashOf(value))
  expect(values.map((value) => hashOf(structuredCloneOf(value)))).toEqual(hashes)
  expect(new Set(hashes).size).toBe(values.length)
  for (const hash of hashes) expect(hash).toMatch(/^[0-9a-f]{16}$/)
})

test('the order of values counts', () => {
  expect(hashOf('a', 'b')).not.toBe(hashOf('b', 'a'))
  expect(hashOf('ab')).not.toBe(hashOf('a', 'b'))
})

test('bodies hash alike whether they were made of texts or of bytes', () => {
  const bytes = new TextEncoder().encode('"x""yz"')
  expect(hashOf(Bodies.ofPieces([bytes.slice(0, 3), bytes.slice(3)], [3, 4]))).toBe(
    hashOf(Bodies.ofTexts(['"x"', '"yz"'])),
  )
})

test('a known object is hashed once and counts each time', () => {
  const message = { type: 'ping', ref: 1 }
  const once = new StreamHash()
  once.addKnown(message)
  const twice = new StreamHash()
  twice.addKnown(message)
  twice.addKnown(message)
  expect(twice.digest).not.toBe(once.digest)
  const equal = new StreamHash()
  equal.addKnown({ ...message })
  expect(equal.digest).toBe(once.digest)
})

/** A value that is equal and another object. */
function structuredCloneOf(value: unknown): unknown {
  return value instanceof Bodies ? Bodies.ofPieces([value.bytes.slice()], value.lengths) : structuredClone(value)
}
