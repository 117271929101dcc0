import { readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { Script } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { hunt } from '../src/fuzz/mutation.ts'
import { Pool } from '../src/fuzz/pool.ts'
import { MUTANTS } from '../src/mutants/catalogue.ts'
import type { Mutant } from '../src/mutants/mutant.ts'
import { mutantPath, mutated } from '../src/mutants/plant.ts'

/** Throws a SyntaxError where an engine would, private names included. */
function compile(text: string): void {
  const body = stripTypeScriptTypes(text)
    .replaceAll(/^import [^;]*?from '[^']+'$/gm, '')
    .replaceAll(/^export (\{[^}]*\}|\*)( from '[^']+')?$/gm, '')
    .replaceAll(/^export /gm, '')
  new Script(`async () => {${body}\n}`)
}

test('what no engine can load is told apart', () => {
  const text = readFileSync(mutantPath(MUTANTS[0] as Mutant), 'utf8')
  expect(() => compile(text)).not.toThrow()
  expect(() => compile(`${text}\nclass A { b() { return this.#c } }`)).toThrow(SyntaxError)
})

test('a mutant that cannot be loaded is neither caught nor has it survived', async () => {
  const mutant = {
    name: 'no such name',
    file: 'engine/src/retry.ts',
    find: 'Math.floor(random() * (delayMs + 1))',
    replace: 'this.#none',
    breaks: 'everything',
  }
  const sound = new Pool(1)
  const verdict = await hunt(mutant, sound, 1, 1)
  await sound.close()
  expect(verdict.caught).toBeUndefined()
  expect(verdict.broken).toContain('#none')
})

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
    expect(() => compile(changed)).not.toThrow()
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
