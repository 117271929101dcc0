import { expect, test } from 'vitest'
import { checkImports } from '../src/imports.ts'
import { report, type SourceFile } from '../src/tree.ts'

const manifest = (
  name: string,
  dependencies: string[] = [],
  exports: Record<string, string> = { '.': './src/index.ts' },
) =>
  JSON.stringify(
    { name, exports, dependencies: Object.fromEntries(dependencies.map((d) => [d, 'workspace:*'])) },
    null,
    2,
  )

const engine = { path: 'packages/engine/package.json', text: manifest('@sluice/engine') }
const protocol = { path: 'packages/protocol/package.json', text: manifest('@sluice/protocol') }

const messages = (...files: SourceFile[]) => report(checkImports(files))

test('a file and its package.json that follow the table pass', () => {
  const own = { path: 'packages/engine/package.json', text: manifest('@sluice/engine', ['@sluice/protocol']) }
  const text = `import { limits } from '@sluice/protocol'\nimport './state.ts'\n`
  expect(messages(own, protocol, { path: 'packages/engine/src/decide.ts', text })).toEqual([])
})

test('an import against the direction is named by file and line', () => {
  const own = { path: 'packages/client/package.json', text: manifest('@sluice/client', ['@sluice/engine']) }
  const text = `// a comment\nimport { decide } from '@sluice/engine'\n`
  expect(messages(own, engine, { path: 'packages/client/src/index.ts', text })).toEqual([
    'packages/client/src/index.ts:2 [imports] @sluice/client may not import @sluice/engine',
    'packages/client/package.json:7 [imports] @sluice/client may not depend on @sluice/engine',
  ])
})

test.each([
  ['a re-export', `export * from '@sluice/broker'`],
  ['a dynamic import', `await import('@sluice/broker')`],
  ['a type import', `import type { Broker } from '@sluice/broker'`],
  ['an import type', `export type Broker = import('@sluice/broker').Broker`],
])('%s counts as an import', (_, text) => {
  const found = messages({ path: 'packages/client/src/index.ts', text })
  expect(found).toContain('packages/client/src/index.ts:1 [imports] @sluice/client may not import @sluice/broker')
})

test('tests are held to the direction too', () => {
  const found = messages({ path: 'packages/broker/test/a.test.ts', text: `import '@sluice/client'` })
  expect(found[0]).toBe('packages/broker/test/a.test.ts:1 [imports] @sluice/broker may not import @sluice/client')
})

test('what a room may import in its tests alone is refused in its code, and as a dependency of users', () => {
  const broker = { path: 'packages/broker/package.json', text: manifest('@sluice/broker') }
  const text = `import '@sluice/broker'`
  const own = {
    path: 'packages/worker-browser/package.json',
    text: manifest('@sluice/worker-browser', ['@sluice/broker']),
  }
  const found = messages(
    own,
    broker,
    { path: 'packages/worker-browser/test/a.test.ts', text },
    { path: 'packages/worker-browser/src/index.ts', text },
  )
  expect(found).toEqual([
    'packages/worker-browser/src/index.ts:1 [imports] @sluice/worker-browser may not import @sluice/broker',
    'packages/worker-browser/package.json:7 [imports] @sluice/worker-browser may not depend on @sluice/broker',
  ])
})

test.each([
  [
    'a relative path',
    `import '../../protocol/src/codec.ts'`,
    '../../protocol/src/codec.ts reaches outside packages/engine',
  ],
  ['an undeclared subpath', `import '@sluice/protocol/src/codec.ts'`, 'is no public face of @sluice/protocol'],
  ['an absolute path', `import '/protocol/codec.ts'`, 'imports the absolute path'],
  ['a package that package.json lacks', `import '@sluice/protocol'`, '@sluice/protocol is missing in the dependencies'],
])('%s into another package is refused', (_, text, message) => {
  expect(messages(engine, protocol, { path: 'packages/engine/src/a.ts', text }).join('\n')).toContain(message)
})

test('a dependency that no file imports is refused', () => {
  const own = { path: 'packages/engine/package.json', text: manifest('@sluice/engine', ['@sluice/protocol']) }
  expect(messages(own, protocol)).toEqual([
    'packages/engine/package.json:7 [imports] depends on @sluice/protocol and never imports it',
  ])
})

test('imports in comments and strings are no imports', () => {
  const text = `// import '@sluice/broker'\nexport const a = "import '@sluice/broker'"\n`
  expect(messages({ path: 'packages/client/src/a.ts', text })).toEqual([])
})

test('only the build configuration of a package may reach the shared one', () => {
  const text = `import { packageBuild } from '../../build.config.ts'`
  expect(messages({ path: 'packages/engine/tsdown.config.ts', text })).toEqual([])
  expect(messages({ path: 'packages/engine/src/tsdown.config.ts', text })).toHaveLength(1)
})

test('a room that may use one face of a package may use no other', () => {
  const broker = {
    path: 'packages/broker/package.json',
    text: manifest('@sluice/broker', [], { '.': './src/index.ts', './core': './src/core/index.ts' }),
  }
  const own = { path: 'packages/world/package.json', text: manifest('@sluice/world', ['@sluice/broker']) }
  const file = (text: string) => ({ path: 'packages/world/src/a.ts', text })
  expect(messages(own, broker, file(`import '@sluice/broker/core'`))).toEqual([])
  expect(messages(own, broker, file(`import '@sluice/broker'`))).toEqual([
    'packages/world/src/a.ts:1 [imports] @sluice/world may not import @sluice/broker',
  ])
})
