import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { DEFINITIONS } from '../../build/chart-definitions.ts'
import { CHART_LAYOUTS } from '../../src/charts/layouts.ts'
import { CHART_RULES, rulesOf } from '../../src/charts/rules.ts'

test.each(DEFINITIONS)(
  'each transition of $machine has its rules, or says that there are none',
  ({ machine, transitions }) => {
    const defined = new Set(transitions.map(({ from, event, to }) => `${from} ${event} ${to}`))
    expect(Object.keys(CHART_RULES[machine]).sort()).toEqual([...defined].sort())
  },
)

test('each rule is one of SPEC.md', () => {
  const spec = readFileSync(join(import.meta.dirname, '../../../../SPEC.md'), 'utf8')
  const known = new Set([...spec.matchAll(/\*\*\[([A-Z]+-\d+)\]\*\*/g)].map(([, id]) => id))
  const named = Object.values(CHART_RULES).flatMap((rules) => Object.values(rules).flat())
  expect(known.size).toBeGreaterThan(100)
  expect(named.filter((id) => !known.has(id))).toEqual([])
})

test('the rules of what was taken are those of the state that has the transition', () => {
  const { connection, task, session } = CHART_LAYOUTS
  expect(rulesOf(task, { from: 'leased', event: 'leaseReleased', to: 'ready' })[0]).toBe('LEASE-6')
  expect(rulesOf(connection, { from: 'ready.fresh', event: 'silent', to: 'backingOff' })[0]).toBe('CLIENT-2')
  expect(rulesOf(connection, { from: 'handshaking', event: 'welcomed', to: 'ready.fresh' })).toContain('SESSION-3')
  expect(rulesOf(session, { from: 'awaitingHello', event: 'lose', to: 'closed' })).toEqual([])
  expect(rulesOf(task, { from: 'gone', event: 'tasksAccepted', to: 'ready' })).toEqual([])
})
