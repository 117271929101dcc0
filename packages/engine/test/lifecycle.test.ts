import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { assertTransition, DEFAULT_CONFIG, evolve, LIFECYCLE } from '../src/index.ts'
import { Harness } from './harness.ts'

const spec = readFileSync(new URL('../../../SPEC.md', import.meta.url), 'utf8')

/** The rows of the table whose header begins with `first`, as cells. */
function tableOf(first: string): string[][] {
  const lines = spec.split('\n')
  const start = lines.findIndex((line) => line.startsWith(`| ${first} |`))
  const end = lines.findIndex((line, i) => i > start && !line.startsWith('|'))
  return lines.slice(start + 2, end).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
}

test('[LIFE-1] the table of SPEC.md is the one that the engine consults', () => {
  const rows = Object.entries(LIFECYCLE).flatMap(([from, events]) =>
    Object.entries(events).map(([event, to]) => [from, event, (to as string[]).join(', ')]),
  )
  expect(tableOf('From')).toEqual(rows)
})

test('[LIFE-1] a change that the table does not know is thrown', () => {
  expect(() => assertTransition('delayed', 'leasesGranted', 'leased')).toThrow('from delayed to leased')
  const harness = new Harness()
  harness.submit('a')
  expect(() =>
    evolve(harness.state, {
      type: 'tasksSucceeded',
      tasks: [harness.task('a').seq],
      result: 0,
      bytes: [0],
      contentType: undefined,
      atMs: 0,
    }),
  ).toThrow('tasksSucceeded may not take a task from ready to succeeded')
})

test('[LIMIT-1] SPEC.md states every bound and default in force', () => {
  const { defaults, ...bounds } = DEFAULT_CONFIG
  expect(tableOf('Setting').map(([name, value]) => [name, value])).toEqual(
    Object.entries(bounds).map(([name, value]) => [name, String(value)]),
  )
  const { retry, ...options } = defaults
  expect(Object.fromEntries(tableOf('Option of a task').map(([name, value]) => [name, value]))).toEqual({
    ...Object.fromEntries(Object.entries(options).map(([name, value]) => [name, String(value)])),
    ...Object.fromEntries(Object.entries(retry).map(([name, value]) => [`retry.${name}`, String(value)])),
  })
})
