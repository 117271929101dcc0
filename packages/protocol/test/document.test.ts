import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeBrokerFrame, decodeClientFrame } from '../src/codec.ts'
import { ERROR_MEANINGS } from '../src/error-meanings.ts'
import { CLOSE_CODES, ERRORS, type ErrorCode } from '../src/errors.ts'
import { DEFAULT_LIMITS } from '../src/limits.ts'
import { SUBPROTOCOL, VERSIONS } from '../src/messages.ts'
import { brokerMessage, clientMessage } from './arbitraries.ts'

const page = readFileSync(new URL('../../../PROTOCOL.md', import.meta.url), 'utf8')

/** The cells of every row of the table below `header`, code marks taken off. */
function table(header: string): string[][] {
  const lines = page.split('\n')
  const start = lines.indexOf(header)
  if (start < 0) throw new Error(`PROTOCOL.md has no table ${header}`)
  const rows: string[][] = []
  for (const line of lines.slice(start + 2)) {
    if (!line.startsWith('|')) break
    rows.push(
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim().replace(/^`(.*)`$/, '$1')),
    )
  }
  return rows
}

test('[ERROR-1] the page lists every error code as the code does', () => {
  expect(table('| code | retry | meaning |')).toEqual(
    Object.entries(ERRORS).map(([code, { retry }]) => [code, retry, ERROR_MEANINGS[code as ErrorCode]]),
  )
})

test('[CLOSE-1] the page lists every close code as the code does', () => {
  expect(table('| code | name | retry |')).toEqual(
    Object.entries(CLOSE_CODES).map(([code, { name, retry }]) => [code, name, retry]),
  )
})

test('[MSG-11] the page lists every limit with its default', () => {
  const listed = table('| limit | default | what |').map(([name, value]) => [name, Number(value?.replaceAll(',', ''))])
  expect(listed).toEqual(Object.entries(DEFAULT_LIMITS))
})

test('[VERSION-1] the page names the version and the subprotocol', () => {
  expect(VERSIONS).toEqual([1])
  expect(page).toContain('# The wire protocol, version 1')
  expect(page).toContain(`\`${SUBPROTOCOL}\``)
})

test.each([
  ['## A first conversation', 9],
  ['### Beginning', 6],
])('every line of the conversation under %s is a frame', (heading, count) => {
  const [, block = ''] = /```\n([\s\S]*?)```/.exec(page.slice(page.indexOf(`${heading}\n`))) ?? []
  const lines = block
    .replaceAll('{…}', '{}')
    .replaceAll('01890a5d-…', '01890a5d-ac96-774b-bcce-b302099a8057')
    .trim()
    .split(/\n(?=[<>])/)
  expect(lines).toHaveLength(count)
  for (const line of lines) {
    const decode = line.startsWith('>') ? decodeClientFrame : decodeBrokerFrame
    expect(decode(line.slice(1).trim(), DEFAULT_LIMITS), line).toMatchObject({ ok: true })
  }
})

/** What the page says of each message: the row of its type, or the table of its own. */
function described(header: string): Map<string, string> {
  const rows = table(header).flatMap(([types = '', fields = '']) => {
    const names = [...types.matchAll(/\w+/g)].map(([name]) => name)
    return names.map((name): [string, string] => [
      name,
      fields === 'above' ? table(`| \`${name}\` | |`).join() : fields,
    ])
  })
  return new Map(rows)
}

test.each([
  ['client', '| message | fields | answer |', clientMessage],
  ['broker', '| message | fields | when |', brokerMessage],
] as const)('the page lists every message of a %s and its fields', (_, header, message) => {
  const page = described(header)
  const seen = new Map<string, Set<string>>()
  for (const { type, ...fields } of fc.sample<object & { type: string }>(message, { numRuns: 3000, seed: 7 })) {
    const names = seen.get(type) ?? new Set()
    for (const name of Object.keys(fields)) names.add(name === 'contentType' ? 'bodies' : name)
    seen.set(type, names)
  }
  expect([...page.keys()].sort()).toEqual([...seen.keys()].sort())
  for (const [type, names] of seen)
    for (const name of names) expect(page.get(type), `${type}.${name}`).toMatch(new RegExp(`\\b${name}\\b`))
})
