import { describe, expect, test } from 'vitest'
import type { Change } from '../../src/mutants/mutant.ts'
import { mutated } from '../../src/mutants/mutate.ts'
import { SourceFile } from '../../src/mutants/sources.ts'
import { isSame, parse } from '../../src/mutants/syntax.ts'

const files = (...texts: string[]): SourceFile[] =>
  texts.map((text, i) => new SourceFile(`engine/src/${'abc'[i]}.ts`, text))

function change(path: string, what: Change, ...texts: string[]): string {
  return mutated({ name: 'some bug', package: 'engine', in: path, breaks: 'all', ...what }, files(...texts)).text
}

describe('what is done to a piece', () => {
  test.each<[string, string, Change, string]>([
    ['an expression is replaced', 'return a + b', { find: 'a + b', put: 'a - b' }, 'return a - b'],
    ['without a change of what binds first', 'return a * d', { find: 'd', put: 'b + c' }, 'return a * (b + c)'],
    ['with what was captured', 'f(a ? b : c, d)', { find: 'f($x, $y)', put: '$y.f($x)' }, 'd.f(a ? b : c)'],
    ['with a row that was captured', 'f(a, b, c)', { find: 'f(a, …)', put: 'g(…)' }, 'g(b, c)'],
    ['at the start of a statement', 'f()\na.b()', { find: 'a', put: 'c ?? d' }, 'f(); (c ?? d).b()'],
    ['the value of a short property', 'f({ a })', { find: 'a: a', put: 'a: b' }, 'f({ a: b })'],
    ['a statement is replaced', 'if (a) f()\ng()', { find: 'if (a) $s', put: '$s' }, 'f(); g()'],
    ['by more than one', 'if (a) f()\nelse g()', { find: 'f()', put: 'h(); k()' }, 'if (a) { h(); k() } else g()'],
    ['a statement is dropped', 'f()\ng()', { drop: 'f()' }, 'g()'],
    ['statements are dropped', 'f()\ng()\nh()', { drop: 'f(); g()' }, 'h()'],
    ['the only statement of a branch is dropped', 'if (a) f()\ng()', { drop: 'f()' }, 'if (a) {}\ng()'],
    ['a branch is dropped', 'if (a) f()\nelse g()', { drop: 'g()' }, 'if (a) f()'],
    ['a property is dropped', 'f({ a: 1, b: 2, c: 3 })', { drop: 'b: $b' }, 'f({ a: 1, c: 3 })'],
    ['the last property is dropped', 'f({ a: 1, b: 2, })', { drop: 'b: 2' }, 'f({ a: 1 })'],
    ['the only property is dropped', 'f({ a: 1, })', { drop: 'a: 1' }, 'f({})'],
    ['an element is dropped', 'f([a, b as C, d])', { drop: 'b' }, 'f([a, d])'],
    ['an argument is dropped', 'f(a, (b, c))', { drop: '(b, c)' }, 'f(a)'],
    ['a case is dropped', 'switch (x) { case 1: case 2: f() }', { drop: 'case 1:' }, 'switch (x) { case 2: f() }'],
    ['one side of an operator is dropped', 'return a && b && c', { drop: 'b' }, 'return a && c'],
    ['the first of them is dropped', 'return a || b && c', { drop: 'a' }, 'return b && c'],
    ['a condition is negated', 'if (a < b) f()', { negate: 'a < b' }, 'if (!(a < b)) f()'],
    ['code is inserted before', 'f()\ng()', { insert: 'h()', before: 'g' }, 'f(); h(); g()'],
    ['code is inserted after', 'f()\ng()', { insert: 'h()', after: 'f()' }, 'f(); h(); g()'],
    ['code is inserted into a branch', 'if (a) f()\ng()', { insert: 'h($x)', after: '$x()' }, 'refused'],
    ['the whole body is replaced', 'f()\nreturn g()', { body: 'return 1' }, 'return 1'],
  ])('%s', (_, before, what, after) => {
    const around = (body: string) => `function w(x) {\n${body}\n}`
    if (after === 'refused') {
      expect(() => change('w', what, around(before))).toThrow('is there 2 times in w')
      return
    }
    const text = change('w', what, around(before))
    expect(isSame(parse(text), parse(around(after))), text).toBe(true)
  })

  test('code that is inserted into a branch stays in it', () => {
    const text = change('w', { insert: 'g()', after: 'f()' }, 'function w() { if (a) f()\n h() }')
    expect(isSame(parse(text), parse('function w() { if (a) { f(); g() } h() }')), text).toBe(true)
  })

  test('what is no part of a list or of an operator cannot be dropped', () => {
    expect(() => change('w', { drop: 'a' }, 'function w() { return a }')).toThrow('can be dropped')
  })
})

describe('where a function is', () => {
  const text = `
    const table = { first: { run: () => a }, second: { run: () => a } }
    export class Host {
      #idle = a
      get state() { return a }
      turn() { function inner() { return a } ; return a }
      static turn() {}
    }
    export function outer() { const local = () => a; return [a, local] }
    function chosen(x) { switch (x) { case 'one': case 'two': return a; default: return a } }
  `
  test.each([
    ['table.second.run', 'second: { run: () => CHANGED }'],
    ['Host.#idle', '#idle = CHANGED'],
    ['Host.state', 'get state() { return CHANGED }'],
    ['Host.turn.inner', 'inner() { return CHANGED }'],
    ['outer.local', 'local = () => CHANGED'],
    ['chosen.one', "case 'two': return CHANGED"],
    ['chosen.two', "case 'two': return CHANGED"],
  ])('%s', (path, expected) => {
    expect(change(path, { find: 'a', put: 'CHANGED' }, text)).toContain(expected)
  })

  test('in whichever file it is, before and after a move', () => {
    const [a, b] = ['function a() { return x }', 'function b() { return x }']
    expect(change('b', { find: 'x', put: 'y' }, `${a}\n${b}`)).toContain('b() { return y }')
    expect(change('b', { find: 'x', put: 'y' }, a, b)).toBe('function b() { return y }')
  })

  test('of two that have one name, the one with the piece is meant', () => {
    expect(change('a', { find: 'x', put: 'y' }, 'function a() { return z }', 'function a() { return x }')).toBe(
      'function a() { return y }',
    )
  })
})

describe('an anchor that is gone, or there twice, is refused by the name of the mutant', () => {
  const text = 'class Host {\n  turn() { return this.left + 1 }\n  stop() { f(); f() }\n}\nfunction start() {}'
  test.each<[string, Change, string[]]>([
    [
      'Host.turns',
      { drop: 'f()' },
      ['mutant "some bug": the package engine has no Host.turns; closest are Host.turn', 'the piece is in Host.stop'],
    ],
    [
      'Host.turn',
      { find: 'this.right + 1', put: '' },
      ['`this.right + 1` is not in Host.turn, engine/src/a.ts:2; closest is `this.left + 1`, engine/src/a.ts:2'],
    ],
    ['Host.stop', { find: 'this.left', put: '' }, ['the piece is in Host.turn, engine/src/a.ts:2']],
    ['Host.stop', { drop: 'f()' }, ['`f()` is there 2 times in Host.stop: engine/src/a.ts:3, engine/src/a.ts:3']],
    ['Host', { body: '' }, ['mutant "some bug": what it names is no function']],
  ])('%s %j', (path, what, messages) => {
    for (const message of messages) expect(() => change(path, what, text)).toThrow(message)
  })

  test('a function whose whole body is meant must be there once', () => {
    expect(() => change('a', { body: '' }, 'function a() {}', 'function a() {}')).toThrow(
      'a is there 2 times: engine/src/a.ts:1, engine/src/b.ts:1',
    )
  })
})
