import { readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { describe, expect, test } from 'vitest'
import { MUTANTS } from '../src/mutants/catalogue.ts'
import { mutantPath, mutated } from '../src/mutants/plant.ts'

test('there are mutants of the engine, the broker, the journal, the client, the worker and the charts, each under its own name', () => {
  expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length)
  expect(MUTANTS.length).toBeGreaterThanOrEqual(36)
  const files = MUTANTS.map(({ file }) => file)
  for (const part of [
    'engine/',
    'broker/src/core/',
    'broker/src/journal/',
    'client/src/producer',
    'client/src/worker',
    'machines/',
  ])
    expect(files.filter((file) => file.startsWith(part)).length, part).toBeGreaterThan(0)
})

describe.each(MUTANTS.map((mutant) => [mutant.name, mutant] as const))('%s', (_, mutant) => {
  const text = readFileSync(mutantPath(mutant), 'utf8')

  test('has its place in the code exactly once, and leaves a file that can be parsed', () => {
    const changed = mutated(mutant, text)
    expect(changed).not.toBe(text)
    expect(() => stripTypeScriptTypes(changed)).not.toThrow()
  })
})

test('a place that is not there, or there twice, is refused by the name of the mutant', () => {
  const mutant = { name: 'some bug', file: 'engine/src/state.ts', find: 'here', replace: 'there', breaks: 'nothing' }
  expect(() => mutated(mutant, 'nowhere')).not.toThrow()
  expect(() => mutated(mutant, 'elsewhere, or here')).toThrow(
    'mutant "some bug": what it replaces is more than once in engine/src/state.ts',
  )
  expect(() => mutated(mutant, 'away')).toThrow('mutant "some bug": what it replaces is not in engine/src/state.ts')
})
