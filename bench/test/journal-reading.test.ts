import { describe, expect, test } from 'vitest'
import { faultIn, type StoredBatch } from '../src/torture/journal-reading.ts'
import { framesOf } from '../src/torture/log-frames.ts'

function batch(number: number, content = `${number}`): StoredBatch {
  return { batch: number, events: `events ${content}`, bodies: `bodies ${content}` }
}

const truth = [3, 4, 5, 6].map((number) => batch(number))

describe('a spoiled journal that opens', () => {
  test.each<[string, StoredBatch[]]>([
    ['all that was stored', truth],
    ['all up to some batch', truth.slice(0, 2)],
    ['nothing', []],
    ['batches that were discarded later', [batch(1), batch(2), ...truth]],
    ['a batch whose bodies it refuses', [batch(3), { ...batch(4), bodies: undefined }, batch(5)]],
  ])('may hold %s', (_, batches) => {
    expect(faultIn({ batches }, truth)).toBeUndefined()
  })

  test.each<[string, StoredBatch[], string]>([
    ['a hole', [batch(3), batch(5)], 'batch 5 stands where batch 4 was'],
    ['no beginning', [batch(4), batch(5)], 'its first batch is 4'],
    ['a batch more', [...truth, batch(7)], 'batch 7, which was never stored'],
    ['other events', [batch(3), { ...batch(4), events: 'others' }], 'batch 4 has other events'],
    ['other bodies', [batch(3), { ...batch(4), bodies: 'others' }], 'batch 4 has other bodies'],
  ])('may not have %s', (_, batches, words) => {
    expect(faultIn({ batches }, truth)).toContain(words)
  })

  test('may be refused instead', () => {
    expect(faultIn({ refused: 'damaged', batches: [] }, truth)).toBeUndefined()
  })
})

test('a log’s frames end where those of an older generation begin, or in the midst of one', () => {
  const pageBytes = 512
  const frameBytes = 24 + pageBytes
  const log = new Uint8Array(32 + 3 * frameBytes + 100)
  const view = new DataView(log.buffer)
  view.setUint32(8, pageBytes)
  view.setBigUint64(16, 7n)
  for (const [index, salt] of [7n, 7n, 6n].entries()) view.setBigUint64(32 + index * frameBytes + 8, salt)
  view.setUint32(32 + frameBytes + 4, 9)
  expect(framesOf(log)).toEqual([
    { start: 32, end: 32 + frameBytes, commits: false },
    { start: 32 + frameBytes, end: 32 + 2 * frameBytes, commits: true },
  ])
  expect(framesOf(log.subarray(0, 32 + frameBytes + 5))).toHaveLength(1)
  expect(framesOf(new Uint8Array())).toEqual([])
})
