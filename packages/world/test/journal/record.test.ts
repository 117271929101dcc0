import { expect, test } from 'vitest'
import { readRecord, writeRecord } from '../../src/journal/record.ts'

const stored = {
  batch: 2 ** 40 + 7,
  events: new TextEncoder().encode('[1,[["so",0]],["größe"],[],[]]'),
  bodies: Uint8Array.from({ length: 50 }, (_, at) => 255 - at),
}

test('a record reads back as it was written', () => {
  expect(readRecord(writeRecord(stored))).toEqual(stored)
  const empty = { batch: 1, events: new Uint8Array(), bodies: new Uint8Array() }
  expect(readRecord(writeRecord(empty))).toEqual(empty)
})

test('a record that was cut anywhere is no record', () => {
  const record = writeRecord(stored)
  for (let length = 0; length < record.length; length += 1)
    expect(readRecord(record.subarray(0, length))).toBeUndefined()
})

test('a record whose end was never written is no record', () => {
  const record = writeRecord(stored)
  for (let at = 0; at < record.length; at += 1) expect(readRecord(record.slice().fill(0, at))).toBeUndefined()
})

test('a record with any one bit flipped is no record', () => {
  const record = writeRecord(stored)
  for (let bit = 0; bit < record.length * 8; bit += 1) {
    const damaged = record.slice()
    damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7))
    expect(readRecord(damaged)).toBeUndefined()
  }
})
