import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pack, pnpm } from './packages.ts'
import { run } from './run.ts'

/** What the programs of the project need besides, as its owner would have it. */
const TYPES_OF_NODE = '@types/node@^22.13.0'

/** A project of somebody's own, outside the repository, in which the packed packages are installed. */
export interface Project {
  directory: string
  tarballs: string[]
}

/** Packs everything and installs it with npm in a fresh project. */
export async function makeProject(): Promise<Project & { remove(): void }> {
  const home = mkdtempSync(join(tmpdir(), 'sluice-consumer-'))
  const packed = join(home, 'packed')
  const directory = join(home, 'project')
  mkdirSync(packed)
  const tarballs = await pack(packed)
  copyPrograms(directory)
  const quiet = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel', 'error']
  await run('npm', ['install', ...quiet, TYPES_OF_NODE, ...tarballs], { cwd: directory, env: withoutPnpm() })
  return { directory, tarballs, remove: () => rmSync(home, { recursive: true, force: true }) }
}

/** The same with pnpm, which keeps packages from finding what they do not depend on. */
export async function installWithPnpm(tarballs: readonly string[], directory: string): Promise<void> {
  copyPrograms(directory)
  // A tarball's own dependencies are versions that no registry has yet.
  const overrides = Object.fromEntries(tarballs.map((file) => [nameOf(file), `file:${file}`]))
  writeFileSync(join(directory, 'pnpm-workspace.yaml'), `overrides: ${JSON.stringify(overrides)}\n`)
  await pnpm(['add', '--prefer-offline', ...tarballs], directory)
}

/** `sluice-worker-node-0.1.0.tgz` holds `@sluice/worker-node`. */
function nameOf(tarball: string): string {
  const [, name = ''] = /([^/]+)-\d+\.\d+\.\d+\.tgz$/.exec(tarball) ?? []
  return name.replace(/^sluice-/, '@sluice/')
}

function copyPrograms(directory: string): void {
  cpSync(join(import.meta.dirname, '..', 'project'), directory, { recursive: true })
  writeFileSync(
    join(directory, 'package.json'),
    JSON.stringify({ name: 'a-project', version: '1.0.0', private: true, type: 'module' }),
  )
}

/** The settings that pnpm hands to its scripts are not npm's. */
function withoutPnpm(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(npm|pnpm)_/i.test(name)))
}
