import { expect, test } from 'vitest'
import { Scopes } from '../../src/core/access/scopes.ts'
import { TICKET_MS, Tickets } from '../../src/http/tickets.ts'

function rig() {
  const clock = { nowMs: 1000 }
  let number = 0
  const tickets = new Tickets(
    () => clock.nowMs,
    () => {
      number += 1
      return `ticket-${number}`
    },
  )
  const principal = (id: string, expiresAtMs = Number.MAX_SAFE_INTEGER) => ({
    id,
    scopes: new Scopes(''),
    issuedAtMs: 0,
    expiresAtMs,
  })
  return { clock, tickets, principal }
}

test('[ACCESS-11] a ticket is good once, for 30 s, and never longer than its token', () => {
  const { clock, tickets, principal } = rig()
  const ada = principal('ada')
  const [first, late] = [tickets.issue(ada), tickets.issue(ada)] as [string, string]
  const short = tickets.issue(principal('eve', clock.nowMs + 5)) as string
  expect(tickets.redeem(first)).toBe(ada)
  expect(tickets.redeem(first)).toBeUndefined()
  clock.nowMs += 5
  expect(tickets.redeem(short)).toBeUndefined()
  clock.nowMs += TICKET_MS - 5
  expect(tickets.redeem(late)).toBeUndefined()
})

test('one principal cannot take the tickets of others, and old ones make room', () => {
  const { clock, tickets, principal } = rig()
  const ada = principal('ada')
  for (let i = 0; i < 100; i += 1) expect(tickets.issue(ada)).toBeDefined()
  expect(tickets.issue(ada)).toBeUndefined()
  expect(tickets.issue(principal('eve'))).toBeDefined()
  clock.nowMs += TICKET_MS
  for (let i = 0; i < 100; i += 1) expect(tickets.issue(ada)).toBeDefined()
  expect(tickets.issue(ada)).toBeUndefined()
})
