import type { Event, TaskOptions } from '@sluice/engine'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { EVENT_CODES } from '../../src/journal/event-codec.ts'
import { EventDecoder } from '../../src/journal/event-decoder.ts'
import { EventEncoder } from '../../src/journal/event-encoder.ts'
import { bodyRef } from '../../src/journal/journal.ts'
import { anyEvent, eventOf, storedTypes } from './arbitrary-events.ts'
import { acceptedEvent, options } from './batches.ts'

const encoder = new EventEncoder()
function encodeEvents(batch: number, events: Event[]): string {
  return new TextDecoder().decode(encoder.encode(batch, events))
}
function roundTrip(batch: number, events: Event[]): Event[] {
  return new EventDecoder().decode(batch, encodeEvents(batch, events))
}

const batchNumber = fc.integer({ min: 1, max: 2 ** 27 - 1 })

test('[JOURNAL-2] any list of events reads back as it was written', () => {
  fc.assert(
    fc.property(batchNumber, fc.array(anyEvent, { maxLength: 20 }), (batch, events) => {
      expect(roundTrip(batch, events)).toStrictEqual(events)
    }),
    { numRuns: 2000 },
  )
})

test.each(storedTypes)('[JOURNAL-2] %s reads back as it was written', (type) => {
  fc.assert(
    fc.property(batchNumber, eventOf(type), (batch, event) => {
      expect(roundTrip(batch, [event])).toStrictEqual([event])
    }),
    { numRuns: 100 },
  )
})

test('every event type has a code of its own', () => {
  expect(Object.keys(EVENT_CODES).sort()).toEqual([...storedTypes].sort())
  expect(new Set(Object.values(EVENT_CODES)).size).toBe(storedTypes.length)
})

function accepted(seq: number, body: number, changes: Partial<TaskOptions> = {}): Event {
  return acceptedEvent(seq, body, { options: { ...options, ...changes }, watcher: 'session-1' })
}

test('refusals are left out of a batch', () => {
  const refused: Event = {
    type: 'refused',
    session: 'session-1',
    ref: 1,
    index: 0,
    code: 'busy',
    message: 'full',
    field: undefined,
    limit: undefined,
    retryAfterMs: 100,
  }
  const kept = accepted(1, bodyRef(3, 0))
  expect(roundTrip(3, [refused, kept, refused])).toStrictEqual([kept])
  expect(roundTrip(3, [refused])).toEqual([])
})

test('bodies in the order of their events cost nothing, and others keep their place', () => {
  const inOrder = [accepted(1, bodyRef(9, 0)), accepted(2, bodyRef(9, 100)), accepted(3, bodyRef(9, 200))]
  const outOfOrder = [accepted(1, bodyRef(9, 200)), accepted(2, bodyRef(4, 50)), accepted(3, bodyRef(9, 0))]
  expect(roundTrip(9, outOfOrder)).toStrictEqual(outOfOrder)
  expect(encodeEvents(9, inOrder)).toContain('000000000003"],100,[3000000003],3]')
  expect(encodeEvents(9, inOrder).length).toBeLessThan(encodeEvents(9, outOfOrder).length)
})

test('equal options and names become one object over all batches of a load', () => {
  const decoder = new EventDecoder()
  const batches = [1, 2].map((batch) =>
    decoder.decode(batch, encodeEvents(batch, [accepted(1, bodyRef(batch, 0)), accepted(2, bodyRef(batch, 100))])),
  )
  const seen = new Set(batches.flat().map((event) => (event.type === 'tasksAccepted' ? event.options : undefined)))
  expect(seen.size).toBe(1)
  expect(seen.has(undefined)).toBe(false)
})

test('options that differ in any one field stay apart', () => {
  const fields = Object.keys(options).filter((field) => field !== 'retry') as Exclude<keyof TaskOptions, 'retry'>[]
  const events = [
    accepted(0, bodyRef(1, 0)),
    ...fields.map((field, index) => accepted(index + 1, bodyRef(1, 0), { [field]: 7 })),
    accepted(20, bodyRef(1, 0), { retry: { ...options.retry, kind: 'fixed' } }),
    accepted(21, bodyRef(1, 0), { retry: { ...options.retry, delayMs: 1001 } }),
    accepted(22, bodyRef(1, 0), { retry: { ...options.retry, jitter: 'none' } }),
  ]
  expect(roundTrip(1, events)).toStrictEqual(events)
})

test('text that is no batch is refused and not half read', () => {
  const decoder = new EventDecoder()
  expect(() => decoder.decode(1, '[0,[["A"')).toThrow(SyntaxError)
  expect(() => decoder.decode(1, '[0,[["?","x"]],[],[],[]]')).toThrow('unknown event code "?"')
})
