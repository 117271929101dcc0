import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const page = readFileSync(new URL('../../../docs/data-dictionary.md', import.meta.url), 'utf8')

/** The fields in the first column of the table below the heading. */
function listed(record: string): string[] {
  const [, section = ''] = page.split(`\n## ${record}\n`)
  const [table = ''] = section.split('\n## ')
  const rows = table.split('\n').filter((line) => line.startsWith('| `'))
  return rows.flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map(([, name = '']) => name))
}

/** The names of the fields that a declaration of this file has, without those of the types that it extends. */
function declared(file: string, record: string): string[] {
  const source = readFileSync(new URL(`../src/${file}`, import.meta.url), 'utf8')
  const start = source.search(new RegExp(`^export (interface|type) ${record}\\b`, 'm'))
  const [body = ''] = source.slice(start).split(/\n(?:}|\n)/)
  const names = body.replace(/\/\*[\s\S]*?\*\//g, '').matchAll(/(?:readonly |^ {2}|\{ )(\w+)\??: /gm)
  return [...new Set([...names].map(([, name = '']) => name))]
}

test.each([
  ['State', 'state.ts', []],
  ['Task', 'entities.ts', ['heapIndex']],
  ['Acceptance', 'entities.ts', []],
  ['Past', 'entities.ts', []],
  ['Phase', 'entities.ts', []],
  ['TaskOptions', 'events.ts', []],
  ['AttemptRecord', 'events.ts', []],
  ['Submission', 'entities.ts', []],
  ['Queue', 'entities.ts', []],
  ['Subscription', 'entities.ts', ['heapIndex']],
  ['Session', 'entities.ts', ['heapIndex']],
])('the data dictionary lists each field of a %s', (record, file, inherited) => {
  const fields = declared(file, record)
  expect(fields.length).toBeGreaterThan(1)
  expect(listed(record).sort()).toEqual([...fields, ...inherited].sort())
})
