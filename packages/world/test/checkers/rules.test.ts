import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { checkers } from '../../src/checkers/index.ts'
import { defaultScenario } from '../../src/index.ts'

function page(path: string): string {
  return readFileSync(new URL(`../../../../${path}`, import.meta.url), 'utf8')
}

const promised = [...page('SPEC.md').matchAll(/^- \*\*\[(PROMISE-\d+)\]\*\*/gm)].map(([, id]) => id)

test('each promise of SPEC.md has one checker, and no checker judges by a rule that stands nowhere', () => {
  expect(promised.length).toBeGreaterThan(30)
  expect(
    checkers(defaultScenario)
      .map(({ rule }) => rule)
      .sort(),
  ).toEqual([...promised].sort())
})

test('docs/guarantees.md says of each promise what it means for a user, and of no other', () => {
  const told = new Set([...page('docs/guarantees.md').matchAll(/PROMISE-\d+/g)].map(([id]) => id))
  expect([...told].sort()).toEqual([...promised].sort())
})
