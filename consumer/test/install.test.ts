import { join } from 'node:path'
import { expect, inject, test } from 'vitest'
import { packages, root } from '../src/packages.ts'
import { run } from '../src/run.ts'
import { expectPrograms } from './programs.ts'

const { directory } = inject('consumer')
const bins = join(root, 'node_modules', '.bin')

test('broker, worker with threads, client and command run from the installed packages, by import and by require', async () => {
  await expectPrograms(directory, join(bins, 'node'), 'pinned')
})

test('strict types compile, with those of every library checked', async () => {
  await run(join(bins, 'tsc'), ['--project', 'tsconfig.nodenext.json'], { cwd: directory })
})

test('npm is kept from publishing what only pnpm can pack', async () => {
  const [first] = packages
  for (const { manifest } of packages) expect(manifest.scripts?.prepack).toBe(first?.manifest.scripts?.prepack)
  await expect(run('npm', ['pack', '--dry-run'], { cwd: first!.directory })).rejects.toThrow('Use pnpm')
})
