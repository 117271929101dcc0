import { DEFAULT_LIMITS, decodeClientFrame, encodeFrames } from '@sluice/protocol'
import { expect, test } from 'vitest'
import { failedLease } from '../src/failure.ts'
import { failureOf, PermanentError } from '../src/index.ts'

test('a failure keeps the code of its error', () => {
  const error = Object.assign(new Error('open failed'), { code: 'ENOENT' })
  expect(failureOf(error).error).toMatchObject({ name: 'Error', message: 'open failed', code: 'ENOENT' })
  expect(failureOf(Object.assign(new Error('x'), { code: 11 })).error.code).toBe('11')
  expect(failureOf(Object.assign(new Error('x'), { code: {} })).error.code).toBeUndefined()
})

test('its stack goes on with its causes and with the members of an AggregateError', () => {
  const refused = Object.assign(new Error('connect ECONNREFUSED'), { stack: 'Error: connect ECONNREFUSED\n    at net' })
  const { error } = failureOf(new PermanentError('fetch failed', { cause: new Error('socket', { cause: refused }) }))
  expect(error.message).toBe('fetch failed')
  expect(error.stack).toMatch(
    /^PermanentError: fetch failed\n[\s\S]*\nCaused by: Error: socket\n[\s\S]*\nCaused by: Error: connect/,
  )
  expect(error.stack).toContain('    at net')

  const all = new AggregateError([new Error('first'), 'second', refused], 'all of them')
  expect(failureOf(all).error.stack).toMatch(
    /\nAmong them: Error: first\n[\s\S]*\nAmong them: second\nAmong them: Error: connect/,
  )
  expect(failureOf(new Error('x', { cause: 'a text' })).error.stack).toMatch(/\nCaused by: a text$/)
})

test('members speak for an AggregateError without a message', () => {
  expect(failureOf(new AggregateError([new Error('first'), 'second'])).error.message).toBe('first; second')
})

test('a cause that cannot be read hides nothing else', () => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  const { error } = failureOf(new AggregateError([proxy, new Error('first')], 'all', { cause: proxy }))
  expect(error.message).toBe('all')
  expect(error.stack).toContain('Among them: Error: first')
  expect(failureOf(new AggregateError([proxy])).error.message).toBe('an error that cannot be read')
})

test('a cycle of causes ends, and so does a long chain', () => {
  const error = new Error('itself')
  error.cause = error
  expect(failureOf(error).error.stack).not.toContain('Caused by')
  let chain = new Error('0')
  for (let depth = 1; depth < 100; depth++) chain = new Error(`${depth}`, { cause: chain })
  expect(failureOf(chain).error.stack?.match(/Caused by/g)).toHaveLength(9)
})

test('what is thrown without being an error keeps its text', () => {
  expect(failureOf({ code: 'E42' }).error).toEqual({ message: '{"code":"E42"}', code: 'E42' })
  expect(failureOf('text').error).toEqual({ message: 'text' })
  expect(failureOf(undefined).error).toEqual({ message: 'undefined' })
  expect(
    failureOf(
      new (class Quota {
        toString = () => 'quota reached'
      })(),
    ).error,
  ).toEqual({ message: 'quota reached' })
})

test('whatever its length, it fits the smallest of frames', () => {
  const limits = { ...DEFAULT_LIMITS, frameBytesMax: 1024 }
  const wide = '\u0000'.repeat(10_000)
  const error = Object.assign(new Error(wide, { cause: new Error(wide) }), { name: wide, code: wide })
  const failure = failedLease(Number.MAX_SAFE_INTEGER, error, limits)
  const frames = [...encodeFrames([{ type: 'fail', ref: 4_000_000_000, failures: [failure] }], 'binary', limits)]
  expect(frames.map((frame) => decodeClientFrame(frame, limits).ok)).toEqual([true])
})
