import { describe, expect, test } from 'vitest'
import { problemsOfScopes, QUEUE_ACTIONS, Scopes, scopesOf } from '../../src/core/access/scopes.ts'

describe('scopes', () => {
  test('a queue name, the beginning of one, every queue', () => {
    const scopes = new Scopes('submit:photos submit:mail.* read')
    expect(scopes.allow('submit', 'photos')).toBe(true)
    expect(scopes.allow('submit', 'photos.small')).toBe(false)
    expect(scopes.allow('submit', 'mail.daily')).toBe(true)
    expect(scopes.allow('submit', 'mail')).toBe(false)
    expect(scopes.allow('read', 'anything')).toBe(true)
    expect(scopes.allow('work', 'photos')).toBe(false)
  })

  test('a queue name may hold colons', () => {
    expect(new Scopes('work:a:b').allow('work', 'a:b')).toBe(true)
    expect(new Scopes('work:a:*').allow('work', 'a:b')).toBe(true)
    expect(new Scopes('work:a:b').allow('work', 'a')).toBe(false)
  })

  test('admin allows everything, and nothing else does', () => {
    for (const action of QUEUE_ACTIONS) expect(new Scopes('admin').allow(action, 'q')).toBe(true)
    expect(new Scopes('admin').isAdmin).toBe(true)
    const all = new Scopes(QUEUE_ACTIONS.join(' '))
    expect(all.isAdmin).toBe(false)
    for (const word of ['admin:q', 'ADMIN', 'administrator', '*', 'admin*', ':q', 'submit:', 'submit:*x', 'submit:a*b'])
      for (const action of QUEUE_ACTIONS) expect(new Scopes(word).allow(action, 'q'), word).toBe(false)
  })

  test('scopes of other programs are passed over', () => {
    const scopes = new Scopes('openid  email submit:q\n profile')
    expect([scopes.allow('submit', 'q'), scopes.allow('read', 'q')]).toEqual([true, false])
  })

  test('a decision that is remembered is not taken for another one', () => {
    const scopes = new Scopes('submit:a')
    for (let i = 0; i < 3000; i += 1) expect(scopes.allow('submit', `q${i}`)).toBe(false)
    expect(scopes.allow('submit', 'a')).toBe(true)
    expect(scopes.allow('read', 'a')).toBe(false)
  })

  test('equal texts share their permissions, and texts that nobody uses any more are forgotten', () => {
    const first = scopesOf('submit:shared')
    expect(scopesOf('submit:shared')).toBe(first)
    for (let n = 0; n < 2000; n += 1) expect(scopesOf(`submit:q${n}`).allow('submit', `q${n}`)).toBe(true)
    const again = scopesOf('submit:shared')
    expect(again).not.toBe(first)
    expect([again.allow('submit', 'shared'), again.allow('submit', 'q1')]).toEqual([true, false])
  })

  test('what somebody writes is judged by the word', () => {
    expect(problemsOfScopes('submit:photos.* admin')).toEqual([])
    expect(problemsOfScopes(' ')).toHaveLength(1)
    expect(problemsOfScopes('submit:q sumbit:q')).toEqual([expect.stringContaining('sumbit:q is no scope')])
  })
})
