import { describe, expect, test } from 'vitest'
import { findPattern, readPattern } from '../../src/mutants/pattern.ts'
import { parse } from '../../src/mutants/syntax.ts'

/** The pieces of the text that the pattern fits. */
function found(pattern: string, text: string): string[] {
  return findPattern(readPattern(pattern), [parse(text)]).map(({ nodes }) =>
    text.slice(nodes[0]?.start, nodes.at(-1)?.end),
  )
}

describe('the same piece, written in another way', () => {
  test.each([
    ['layout', 'f(a, b)', 'f(\n  a, // the first\n  b,\n)'],
    ['quotes', "f('a')", 'f("a")'],
    ['a template with nothing in it', "f('a')", 'f(`a`)'],
    ['quotes around a name', "f({ a: 1, 'b': 2 })", "f({ 'a': 1, b: 2 })"],
    ['a property that is named like its value', 'f({ a: a })', 'f({ a })'],
    ['parentheses', 'a + b * c', 'a + (b * c)'],
    ['a semicolon', 'f()\ng()', 'f(); ; g();'],
    ['braces around one statement', 'if (a) return b', 'if (a) {\n  return b\n}'],
    ['no braces around one statement', 'if (a) { f() } else { g() }', 'if (a) f()\nelse g()'],
    ['an arrow with a body', '(a) => a.b', 'a => { return a.b }'],
    ['types', 'f(a as B, c!)', 'f<D>(a, c satisfies E)'],
    ['a type of a parameter', '(a) => a', '(a: B): C => a'],
    ['a number', '1000', '1_000'],
    ['braces around a case', "case 'a': f(); return 1", "switch (x) { case 'a': { f(); return 1 } }"],
  ])('%s', (_, pattern, text) => {
    const wrapped = `function w() { ${text} }`
    expect(found(pattern, wrapped)).toHaveLength(1)
  })
})

describe('another piece', () => {
  test.each([
    ['another name', 'a.b', 'a.c'],
    ['another operator', 'a < b', 'a <= b'],
    ['an optional call', 'a.b()', 'a?.b()'],
    ['an else', 'if (a) f()', 'if (a) f(); else g()'],
    ['one more argument', 'f(a)', 'f(a, b)'],
    ['text instead of a number', '1', "'1'"],
    ['a computed name', 'a.b', 'a[b]'],
    ['other statements in between', 'f(); g()', 'f(); h(); g()'],
  ])('%s', (_, pattern, text) => {
    expect(found(pattern, `function w() { ${text} }`)).toEqual([])
  })
})

test('a variable stands for any expression or statement, and for the same one where it is there twice', () => {
  expect(found('if ($c) $s', 'if (a < b) for (;;) f()')).toEqual(['if (a < b) for (;;) f()'])
  expect(found('$a - $a', 'f(x.y - x.y, x.y - y.x)')).toEqual(['x.y - x.y'])
})

test('an ellipsis stands for any number of arguments, properties or statements', () => {
  expect(found('f(a, …)', 'f(a); f(a, b, c); f(b)')).toEqual(['f(a)', 'f(a, b, c)'])
  expect(found("({ type: 'x', … })", "g({ type: 'x', a: 1 }, { type: 'x' }, { a: 1, type: 'x' })")).toHaveLength(2)
  expect(found('for (;;) { f(); … }', 'for (;;) { f(); g(); h() }')).toHaveLength(1)
})

test('properties and cases can be found by themselves', () => {
  expect(found('a: $value', 'f({ b: 1, a: c })')).toEqual(['a: c'])
  expect(found("case 'b':", "switch (x) { case 'a': case 'b': case 'c': f() }")).toEqual(["case 'b':"])
})

test('what is no code is refused', () => {
  expect(() => readPattern('if (')).toThrow('no expression, statement, property or case: if (')
})
