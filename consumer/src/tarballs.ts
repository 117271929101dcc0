import { mkdirSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { pack, root } from './packages.ts'

// `pnpm tarballs`: every package, built and packed, to be installed in a project outside this repository.
const into = join(root, 'dist')
rmSync(into, { recursive: true, force: true })
mkdirSync(into)
for (const tarball of await pack(into)) console.log(relative(process.cwd(), tarball))
