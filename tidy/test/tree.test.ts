import { expect, test } from 'vitest'
import { checkLinks, checkScripts } from '../src/documents.ts'
import { checkFiles, checkText } from '../src/files.ts'
import { checkImportCycles } from '../src/import-cycles.ts'
import { checkImports } from '../src/imports.ts'
import { checkOneQueue } from '../src/one-queue.ts'
import { checkPlatform } from '../src/platform.ts'
import { leafFiles, neutralDirectories, rooms } from '../src/rooms.ts'
import { checkRuleIds } from '../src/rule-ids.ts'
import { type Finding, readTree, report, type SourceFile } from '../src/tree.ts'

const tree = readTree()

const rules: [string, (files: SourceFile[]) => Finding[]][] = [
  ['imports point one way, through public faces, and agree with each package.json', checkImports],
  ['no file reaches itself through its imports', checkImportCycles],
  ['neutral code touches no platform', checkPlatform],
  ['the simulator has no model of its own', checkOneQueue],
  ['each rule of the specifications is quoted by a test, and each quoted rule exists', checkRuleIds],
  ['files are short and named for one concept', checkFiles],
  ['nothing names a machine, a registry host or work left for later', checkText],
  ['every script that a document names exists', checkScripts],
  ['every relative link leads somewhere', checkLinks],
]

test.each(rules)('%s', (_, check) => {
  expect(report(check(tree))).toEqual([])
})

test('every room and leaf file that the rules name is there', () => {
  const paths = tree.map(({ path }) => path)
  expect(leafFiles.filter((file) => !paths.includes(file))).toEqual([])
  const named = [...rooms.map(({ directory }) => `${directory}/`), ...neutralDirectories]
  expect(named.filter((directory) => !paths.some((path) => path.startsWith(directory)))).toEqual([])
  // What stands in no room is held to no direction.
  const found = paths.map((path) => /^(?:packages|examples)\/[^/]+|^bench/.exec(path)?.[0]).filter(Boolean)
  expect([...new Set(found)].sort()).toEqual(rooms.map(({ directory }) => directory).sort())
})

test('the tree that the rules see is the whole one', () => {
  const paths = tree.map(({ path }) => path)
  expect(paths).toContain('tidy/test/tree.test.ts')
  expect(paths).toContain('packages/engine/src/index.ts')
  expect(paths).toContain('pnpm-lock.yaml')
  expect(paths.filter((path) => path.includes('node_modules'))).toEqual([])
})
