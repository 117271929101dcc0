import { expect, test } from 'vitest'
import { checkLinks, checkScripts } from '../src/documents.ts'
import { report } from '../src/tree.ts'

const names = [
  'dev',
  'test',
  'check',
  'bench',
  'fuzz',
  'torture',
  'size',
  'build',
  'sluice',
  'test:fast',
  'test:consumer',
]
const manifest = (scripts: string[]) => ({
  path: 'package.json',
  text: JSON.stringify({ scripts: Object.fromEntries(scripts.map((name) => [name, ''])) }),
})
const page = (text: string, path = 'README.md') => ({ path, text })

test('a script of the contract that is missing is named', () => {
  expect(report(checkScripts([manifest(names.slice(1))]))).toEqual([
    'package.json:1 [scripts] the script dev is missing',
  ])
})

test('a script that a document names and package.json lacks is named by line', () => {
  const text = 'Run `pnpm test`.\n\n```sh\nnpx -y pnpm@12 dev\nnpx -y pnpm@12 nonsense\n```\n\n`pnpm run absent`\n'
  expect(report(checkScripts([manifest(names), page(text)])).sort()).toEqual([
    'README.md:5 [scripts] there is no script nonsense',
    'README.md:8 [scripts] there is no script absent',
  ])
})

test('prose about pnpm names no script', () => {
  expect(checkScripts([manifest(names), page('With pnpm on the path, `pnpm install` works.')])).toEqual([])
})

test('a link that leads nowhere is named by line', () => {
  const text = '# Sluice\n[a](./absent.md) [b](docs/b.md) [c](docs) [d](https://example.org) [e](#sluice)\n[f](#absent)'
  expect(report(checkLinks([page(text), page('# B', 'docs/b.md')]))).toEqual([
    'README.md:2 [links] ./absent.md leads nowhere',
    'README.md:3 [links] #absent: no heading makes the anchor #absent',
  ])
})

test('links are relative to their page, and anchors belong to the page they lead to', () => {
  const pages = [
    page('# One `two` three!', 'docs/a.md'),
    page('[a](a.md#one-two-three) [up](../README.md)', 'docs/b.md'),
  ]
  expect(checkLinks([...pages, page('x')])).toEqual([])
})

test('a link in code is no link', () => {
  expect(checkLinks([page('`[a](absent.md)`\n\n```md\n[a](absent.md)\n```\n')])).toEqual([])
})
