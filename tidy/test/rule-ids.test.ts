import { expect, test } from 'vitest'
import { checkRuleIds, definedIds, quotedIds } from '../src/rule-ids.ts'
import { report } from '../src/tree.ts'

const spec = (text: string, path = 'SPEC.md') => ({ path, text })
const tests = (text: string) => ({ path: 'packages/engine/test/a.test.ts', text })

test('a rule that a test quotes passes', () => {
  const files = [spec('- **[LEASE-1]** A lease ends.'), tests(`test('[LEASE-1] a lease ends', () => {})`)]
  expect(checkRuleIds(files)).toEqual([])
})

test('a rule that no test quotes is named', () => {
  expect(report(checkRuleIds([spec('# Leases\n\n- **[LEASE-1]** A lease ends.')]))).toEqual([
    'SPEC.md:3 [rule-ids] no test title quotes [LEASE-1]',
  ])
})

test('a quoted rule that does not exist is named', () => {
  expect(report(checkRuleIds([tests(`\ntest('[LEASE-9] a lease ends', () => {})`)]))).toEqual([
    'packages/engine/test/a.test.ts:2 [rule-ids] [LEASE-9] is in neither SPEC.md nor PROTOCOL.md',
  ])
})

test('a rule that a document or the simulated world names and that does not exist is named', () => {
  const files = [
    spec('- **[A-1]** One.'),
    tests(`test('[A-1]', () => {})`),
    { path: 'docs/guarantees.md', text: 'Kept [A-1].\n\nIn UTF-8 [A-1, A-2]. [A-3](#a-3) is a link.' },
    {
      path: 'packages/world/src/checkers/order.ts',
      text: `violate('out of order', {}, 'A-1')\nviolate('late', {}, 'A-4')`,
    },
  ]
  expect(report(checkRuleIds(files))).toEqual([
    'docs/guarantees.md:3 [rule-ids] [A-2] is in neither SPEC.md nor PROTOCOL.md',
    'packages/world/src/checkers/order.ts:2 [rule-ids] [A-4] is in neither SPEC.md nor PROTOCOL.md',
  ])
})

test('a rule that is defined twice is named', () => {
  const twice = [spec('- **[A-1]** One.'), spec('- **[A-1]** Two.', 'PROTOCOL.md'), tests(`test('[A-1]', () => {})`)]
  expect(report(checkRuleIds(twice))).toEqual(['PROTOCOL.md:1 [rule-ids] [A-1] is defined twice; first at SPEC.md:1'])
})

test('items, headings and paragraphs define; mentions, links and code blocks do not', () => {
  const text = [
    '- **[A-1]** x',
    '* **[A-2] x**',
    '1. **[A-3]** x',
    '### [A-4] x',
    '**[A-5]** x',
    'as [A-6] says',
    '- [A-7](#a-7)',
    '```',
    '- **[A-8]** x',
    '```',
  ].join('\n')
  expect(definedIds(spec(text)).map(({ id }) => id)).toEqual(['A-1', 'A-2', 'A-3', 'A-4', 'A-5'])
})

test('titles of tests, tables, properties and groups quote; comments and bodies do not', () => {
  const text = `
    test('[A-1][A-2] x', () => {})
    it.each([1])('[A-3] %i', () => {})
    test.prop([a])(\`[A-4] \${name}\`, () => {})
    describe('[A-5] x', () => { test.skip('[NO-NAME-6] x', () => { log('[A-7]') }) })
    // test('[A-8] x')
  `
  expect(quotedIds(tests(text)).map(({ id }) => id)).toEqual(['A-1', 'A-2', 'A-3', 'A-4', 'A-5', 'NO-NAME-6'])
})
