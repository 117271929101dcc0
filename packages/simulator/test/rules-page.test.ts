import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { rulesPage } from '../build/rules-page.ts'
import { ruleHref } from '../src/view/rule-link.ts'

const specification = readFileSync(new URL('../../../SPEC.md', import.meta.url), 'utf8')
const page = rulesPage(specification, ':root { --ink: black }')

test('each rule of SPEC.md is an anchor of the page, once, and links lead there', () => {
  const defined = [...specification.matchAll(/^- \*\*\[([A-Z]+-\d+)\]\*\*/gm)].map(([, id]) => id as string)
  expect(defined.length).toBeGreaterThan(100)
  const anchors = [...page.matchAll(/ id="([A-Z]+-\d+)"/g)].map(([, id]) => id)
  expect(anchors).toEqual(defined)
  expect(ruleHref('LEASE-3')).toBe('rules.html#LEASE-3')
})

test('the page is whole, and asks for nothing that is not in it', () => {
  expect(page).toContain('<h2>LEASE: delivery and leases</h2>')
  expect(page).toContain('<td>queueTasksMax</td>')
  expect(page).toContain('--ink: black')
  expect([...page.matchAll(/(?:href|src)="([^"]*)"/g)].filter(([, to]) => !to?.startsWith('#'))).toEqual([])
})
