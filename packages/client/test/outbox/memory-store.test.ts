import { describe, expect, test } from 'vitest'
import { memoryStore } from '../../src/outbox/memory-store.ts'
import { outboxStoreCases } from '../../src/outbox/store-cases.ts'

describe('a store in memory', () => {
  for (const { name, run } of outboxStoreCases) test(name, () => run(memoryStore()))

  test('never says that it is durable', () => {
    expect(memoryStore().isDurable).toBe(false)
  })
})
