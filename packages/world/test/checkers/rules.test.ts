import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { checkers } from '../../src/checkers/index.ts'
import { defaultScenario } from '../../src/index.ts'

test('each promise of SPEC.md has one checker, and no checker judges by a rule that stands nowhere', () => {
  const specification = readFileSync(new URL('../../../../SPEC.md', import.meta.url), 'utf8')
  const promised = [...specification.matchAll(/^- \*\*\[(PROMISE-\d+)\]\*\*/gm)].map(([, id]) => id)
  expect(promised.length).toBeGreaterThan(30)
  expect(
    checkers(defaultScenario)
      .map(({ rule }) => rule)
      .sort(),
  ).toEqual([...promised].sort())
})
