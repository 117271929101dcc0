import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, inject, test } from 'vitest'
import { nodeBins, nodeVersions } from '../../src/node-versions.ts'
import { root } from '../../src/packages.ts'
import { installWithPnpm } from '../../src/project.ts'
import { run } from '../../src/run.ts'
import { expectPrograms } from '../programs.ts'

const { directory, tarballs } = inject('consumer')

test.each(nodeVersions)('the installed packages run on Node %s', async (version) => {
  const bins = await nodeBins(version)
  expect(await run(join(bins, 'node'), ['--version'], { cwd: directory })).toContain(`v${version}`)
  await expectPrograms(directory, join(bins, 'node'), `node-${version}`)
  const held = await run(join(bins, 'node'), ['held-file.js', `node-${version}-held.db`], { cwd: directory })
  expect(held).toContain('the broker waited')
})

const compilers = {
  lowest: join(root, 'consumer', 'node_modules', 'typescript-lowest', 'bin', 'tsc'),
  newest: join(root, 'node_modules', 'typescript', 'bin', 'tsc'),
}
const settings = ['nodenext', 'bundler', 'page']
const pairs = Object.keys(compilers).flatMap((compiler) => settings.map((setting) => [compiler, setting] as const))

test.each(pairs)('the types compile with the %s TypeScript under %s', async (compiler, setting) => {
  const tsc = compilers[compiler as keyof typeof compilers]
  await run(process.execPath, [tsc, '--project', `tsconfig.${setting}.json`], { cwd: directory })
})

test('pnpm installs them too, and keeps each package to what it names', async () => {
  const other = join(directory, '..', 'with-pnpm')
  mkdirSync(other)
  await installWithPnpm(tarballs, other)
  await expectPrograms(other, join(root, 'node_modules', '.bin', 'node'), 'pnpm')
})
