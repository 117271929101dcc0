import { stripTypeScriptTypes } from 'node:module'
import { Script } from 'node:vm'
import { expect, test } from 'vitest'
import { hunt } from '../../src/fuzz/mutation.ts'
import { Pool } from '../../src/fuzz/pool.ts'
import { MUTANTS } from '../../src/mutants/catalogue.ts'
import type { Mutant } from '../../src/mutants/mutant.ts'
import { mutated } from '../../src/mutants/mutate.ts'
import { sourcesOf } from '../../src/mutants/sources.ts'

/** Throws a SyntaxError where an engine would, private names included. */
function compile(text: string): void {
  const body = stripTypeScriptTypes(text)
    .replaceAll(/^import [^;]*?from '[^']+'$/gm, '')
    .replaceAll(/^export (\{[^}]*\}|\*)( from '[^']+')?$/gm, '')
    .replaceAll(/^export /gm, '')
  new Script(`async () => {${body}\n}`)
}

test('what no engine can load is told apart', () => {
  const text = sourcesOf('engine')[0]?.text ?? ''
  expect(() => compile(text)).not.toThrow()
  expect(() => compile(`${text}\nclass A { b() { return this.#c } }`)).toThrow(SyntaxError)
})

const jitter = { name: 'no such name', package: 'engine', in: 'retryDelayMs', breaks: 'everything' } as const

test.each([
  ['cannot be loaded', { find: 'Math.floor($delayMs)', put: 'this.#none' }, '#none'],
  ['has no place in the code', { drop: 'Math.ceil($delayMs)' }, '`Math.ceil($delayMs)` is not in retryDelayMs'],
])('a mutant that %s is neither caught nor has it survived', async (_, change, message) => {
  const sound = new Pool(1)
  const verdict = await hunt({ ...jitter, ...change }, sound, 1, 1)
  await sound.close()
  expect(verdict.caught).toBeUndefined()
  expect(verdict.broken).toContain(message)
})

test('there are mutants of the engine, the broker, the journal, the client, the worker and the charts, each under its own name', () => {
  expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length)
  expect(MUTANTS.length).toBeGreaterThanOrEqual(36)
  const places = MUTANTS.map((mutant) => `${mutant.package}: ${mutant.in}`)
  for (const part of [
    'engine: evolve',
    'broker: Host',
    'broker: EventDecoder',
    'client: Producer',
    'client: Worker',
    'machines: ',
  ])
    expect(places.filter((place) => place.startsWith(part)).length, part).toBeGreaterThan(0)
})

/** The files with a bug in them, by the mutant's name. */
const planted = new Map<string, string>()

test.each(MUTANTS.map((mutant): [string, Mutant] => [mutant.name, mutant]))(
  '%s has its one place in the code, and leaves a file that can be parsed',
  (_, mutant) => {
    const { file, text } = mutated(mutant, sourcesOf(mutant.package))
    expect(text).not.toBe(file.text)
    expect(() => compile(text)).not.toThrow()
    planted.set(mutant.name, text)
  },
)

test('no two mutants are the same bug', () => {
  const first = new Map([...planted].reverse().map(([name, text]) => [text, name]))
  expect([...planted].filter(([name, text]) => first.get(text) !== name).map(([name]) => name)).toEqual([])
})
