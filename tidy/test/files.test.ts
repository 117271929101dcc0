import { expect, test } from 'vitest'
import { checkFiles, checkText } from '../src/files.ts'
import { report } from '../src/tree.ts'

const names = (path: string) => report(checkFiles([{ path, text: '' }]))
const text = (content: string, path = 'a/b.ts') => report(checkText([{ path, text: content }]))

test('a source file may have 500 lines and a test 800', () => {
  const lines = (count: number) => 'x\n'.repeat(count)
  const long = [
    { path: 'a/src/b.ts', text: lines(501) },
    { path: 'a/src/c.ts', text: lines(500) },
    { path: 'a/test/b.test.ts', text: lines(801) },
    { path: 'a/test/c.test.ts', text: lines(800) },
  ]
  expect(report(checkFiles(long))).toEqual([
    'a/src/b.ts:501 [file-size] 501 lines, where 500 is the most',
    'a/test/b.test.ts:801 [file-size] 801 lines, where 800 is the most',
  ])
})

test.each(['utils.ts', 'util.ts', 'types.ts', 'helpers.tsx'])('%s is refused for its name', (name) => {
  expect(names(`a/src/${name}`)).toEqual([`a/src/${name}:1 [file-name] ${name} names no concept`])
})

test.each(['TaskQueue.ts', 'taskQueue.ts', 'task_queue.ts'])('%s is not kebab-case', (name) => {
  expect(names(`a/src/${name}`)).toEqual([`a/src/${name}:1 [file-name] ${name} is not kebab-case`])
})

test.each(['task-queue.ts', 'outbox.browser.test.ts', 'vitest.config.ts'])('%s is well named', (name) => {
  expect(names(`a/src/${name}`)).toEqual([])
})

test.each(['work', 'root', 'home', 'tmp'])('a path in /%s is named by file and line', (directory) => {
  const path = `/${directory}/`
  expect(text(`\nconst file = '${path}x'`)).toEqual([`a/b.ts:2 [machine-path] ${path}x… is a path of one machine`])
  expect(text(`see ${path}x`, 'README.md')).toHaveLength(1)
})

test('a path inside the tree and a route are no machine paths', () => {
  expect(text(`'./tmp/x' 'packages/work/x' '/v1/tasks' 'https://example.org/home/x'`)).toEqual([])
})

test('a registry host is named, in the lock file too', () => {
  const host = ['registry', 'npmjs', 'org'].join('.')
  expect(text(`a\nresolved: https://${host}/x`, 'pnpm-lock.yaml')[0]).toMatch(/^pnpm-lock.yaml:2 \[registry-host\]/)
})

test.each(['TO-DO', 'FIX-ME', 'X-XX'])('%s, written as one word, is refused in source', (spelled) => {
  const word = spelled.replace('-', '')
  expect(text(`// ${word}: later`)).toEqual([`a/b.ts:1 [unfinished] ${word} is no place for work to do`])
})
