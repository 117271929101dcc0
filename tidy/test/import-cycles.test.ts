import { expect, test } from 'vitest'
import { checkImportCycles } from '../src/import-cycles.ts'
import { report, type SourceFile } from '../src/tree.ts'

/** Files of one package, each with the modules that it names. */
const files = (modules: Record<string, string>): SourceFile[] =>
  Object.entries(modules).map(([name, text]) => ({ path: `packages/engine/src/${name}.ts`, text }))

const src = (...names: string[]) => names.map((name) => `packages/engine/src/${name}.ts`).join(' → ')

test('files that import one way pass, however they meet', () => {
  const diamond = { a: `import './b.ts'\nimport './c.ts'`, b: `import './d.ts'`, c: `import './d.ts'`, d: '' }
  expect(checkImportCycles(files(diamond))).toEqual([])
})

test('a cycle is named whole, at the import that closes it', () => {
  const cycle = { a: `import './b.ts'`, b: `import './c.ts'`, c: `// a comment\nimport './a.ts'` }
  expect(report(checkImportCycles(files(cycle)))).toEqual([
    `packages/engine/src/c.ts:2 [import-cycles] imports in a cycle: ${src('a', 'b', 'c', 'a')}`,
  ])
})

test('a cycle is named from its own first file, not from the files that lead to it', () => {
  const cycle = { a: `import './b.ts'`, b: `import './c.ts'`, c: `import './b.ts'` }
  expect(checkImportCycles(files(cycle)).map(({ message }) => message)).toEqual([
    `imports in a cycle: ${src('b', 'c', 'b')}`,
  ])
})

test('each import that closes a cycle is found', () => {
  const two = { a: `import './b.ts'\nimport './c.ts'`, b: `import './a.ts'`, c: `import './a.ts'` }
  expect(checkImportCycles(files(two)).map(({ path }) => path)).toEqual([
    'packages/engine/src/b.ts',
    'packages/engine/src/c.ts',
  ])
})

test.each([
  ['a type import', `import type { B } from './b.ts'`],
  ['an import type', `export type B = import('./b.ts').B`],
  ['a re-export', `export * from './b.ts'`],
  ['a dynamic import', `await import('./b.ts')`],
])('%s closes a cycle too', (_, text) => {
  expect(checkImportCycles(files({ a: text, b: `import './a.ts'` }))).toHaveLength(1)
})

test('a file that imports itself is a cycle', () => {
  expect(checkImportCycles(files({ a: `import './a.ts'` })).map(({ message }) => message)).toEqual([
    `imports in a cycle: ${src('a', 'a')}`,
  ])
})

test('a package that names itself closes a cycle', () => {
  const manifest = {
    path: 'packages/engine/package.json',
    text: JSON.stringify({ name: '@sluice/engine', exports: { '.': './src/index.ts', './task': './src/task.ts' } }),
  }
  const index = { index: `import './a.ts'`, a: `import '@sluice/engine'` }
  const task = { task: `import './b.ts'`, b: `import '@sluice/engine/task'` }
  const found = checkImportCycles([manifest, ...files({ ...index, ...task })])
  expect(found.map(({ path }) => path)).toEqual(['packages/engine/src/a.ts', 'packages/engine/src/b.ts'])
})
