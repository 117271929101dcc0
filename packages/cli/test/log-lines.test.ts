import { stripVTControlCharacters } from 'node:util'
import { expect, test } from 'vitest'
import { logLine } from '../src/log-lines.ts'

const shown = (line: string) => stripVTControlCharacters(logLine(line))

test('a line of the log is readable, with its fields and without those of the process', () => {
  const line = '{"level":30,"time":1,"pid":7,"hostname":"h","url":"ws://a","queues":["q"],"msg":"working"}'
  expect(shown(line)).toMatch(/^\d\d:\d\d:\d\d info {2}working url=ws:\/\/a queues=\["q"\]$/)
})

test.each(['{ a: 1 }', '{"a":1}', '{"level":"high","time":1}', '{', 'text', ''])(
  'what a handler prints stays: %s',
  (line) => {
    expect(logLine(line)).toBe(line)
  },
)

test('what an error brings along cannot move the cursor', () => {
  const err = { stack: 'Error: \u001b[2Jgone\r\u009b31m\n    at here' }
  const line = logLine(JSON.stringify({ level: 50, time: 1, msg: 'failed\u0007', err }))
  expect(stripVTControlCharacters(line)).toMatch(/failed *\nError: gone *\n {4}at here$/)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  expect(line).not.toMatch(/\u001b\[2J|[\r\u0007\u009b]/)
})
