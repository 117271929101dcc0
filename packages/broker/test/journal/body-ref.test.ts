import { expect, test } from 'vitest'
import { BATCH_BODY_BYTES_MAX, BATCH_SPAN_MAX, batchOf, bodyRef, offsetOf } from '../../src/journal/journal.ts'

test('a ref is a safe integer that gives back offset and batch, as long as the journal does not span too much', () => {
  for (const batch of [1, 2, 2 ** 27 - 1, 2 ** 27, 2 ** 27 + 1, 5 * 2 ** 27 + 3, 2 ** 45]) {
    for (const offset of [0, 1, BATCH_BODY_BYTES_MAX - 1]) {
      const ref = bodyRef(batch, offset)
      expect(Number.isSafeInteger(ref)).toBe(true)
      expect(offsetOf(ref)).toBe(offset)
      for (const later of [0, 1, 1000, BATCH_SPAN_MAX]) expect(batchOf(ref, batch + later)).toBe(batch)
    }
  }
})
