import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { CLOSE_CODES, ERRORS } from '../src/errors.ts'
import { DEFAULT_LIMITS } from '../src/limits.ts'
import { SUBPROTOCOL, VERSIONS } from '../src/messages.ts'

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
    Object.entries(ERRORS).map(([code, { retry, meaning }]) => [code, retry, meaning]),
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
