import { afterAll, expect, test } from 'vitest'
import { extract, run, runs, snippetsOf, typecheck } from '../src/snippets.ts'
import { readTree } from '../src/tree.ts'

const fence = '```'
const page = (...blocks: [info: string, text: string][]) =>
  snippetsOf([
    { path: 'README.md', text: blocks.map(([info, text]) => `${fence}${info}\n${text}\n${fence}\n`).join('\n') },
  ])

const snippets = snippetsOf(readTree())

test('the snippets of the documents typecheck', () => {
  expect(typecheck(extract('documents', snippets))).toEqual({ status: 0, output: '' })
}, 60_000)

const runnable = snippets.filter(runs)

for (const snippet of runnable) {
  test(`the snippet at ${snippet.path}:${snippet.line} runs`, () => {
    const outcome = run(extract(snippet.name, [snippet]), snippet)
    expect(outcome, outcome.output).toMatchObject({ status: 0 })
  }, 90_000)
}

test('only blocks that a reader would copy are snippets', () => {
  const found = page(['ts', 'a'], ['ts run', 'b'], ['sh', 'c'], ['sh run', 'd'], ['json', 'e'], ['', 'f'])
  expect(found.map(({ text }) => text.trim())).toEqual(['a', 'b', 'd'])
  expect(found.map(({ name }) => name)).toEqual(['README-md-1.ts', 'README-md-5.ts', 'README-md-13.sh'])
})

test('a snippet with a wrong type or an unknown import is refused by document and line', () => {
  const { status, output } = typecheck(
    extract('bad-types', page(['ts', `export const a: number = 'x'`], ['ts', `import '@sluice/absent'`])),
  )
  expect(status).not.toBe(0)
  expect(output).toContain('README-md-1.ts(1,14)')
  expect(output).toContain('README-md-5.ts(1,8)')
})

test('a snippet that imports a package of the workspace typechecks and runs', () => {
  const found = page([
    'ts run',
    `import * as engine from '@sluice/engine'\nif (typeof engine !== 'object') process.exit(1)`,
  ])
  const target = extract('good', found)
  expect(typecheck(target)).toEqual({ status: 0, output: '' })
  expect(run(target, found[0]!)).toMatchObject({ status: 0 })
}, 60_000)

test('a snippet that fails when run is refused, in either language', () => {
  const found = page(['ts run', `throw new Error('on purpose')`], ['sh run', 'false\necho unreached'])
  const target = extract('bad-run', found)
  expect(run(target, found[0]!)).toMatchObject({ status: 1, output: expect.stringContaining('on purpose') })
  expect(run(target, found[1]!)).toEqual({ status: 1, output: '' })
})

test('a shell snippet runs on the pinned Node', () => {
  const found = page(['sh run', 'node --version'])
  expect(run(extract('shell', found), found[0]!).output).toMatch(/^v26\./)
})

afterAll(() => {
  for (const group of ['bad-types', 'good', 'bad-run', 'shell']) extract(group, [])
})
