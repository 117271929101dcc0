import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './run.ts'

export const root = join(import.meta.dirname, '..', '..')

/** What a package.json says, as far as it is looked at here. */
export interface Manifest {
  name: string
  version: string
  private?: boolean
  engines?: { node?: string }
  scripts?: Record<string, string>
  keywords?: string[]
  dependencies?: Record<string, string>
  [field: string]: unknown
}

export interface Package {
  directory: string
  manifest: Manifest
}

export function manifestIn(directory: string): Manifest {
  return JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as Manifest
}

/** The packages that are published. */
export const packages: readonly Package[] = readdirSync(join(root, 'packages'))
  .map((name) => join(root, 'packages', name))
  .map((directory) => ({ directory, manifest: manifestIn(directory) }))
  .filter(({ manifest }) => manifest.private !== true)

/** The pnpm that runs this, or the one that `npx` brings. */
export function pnpm(args: readonly string[], cwd = root): Promise<string> {
  const own = process.env.npm_execpath ?? ''
  if (!/pnpm/.test(own)) return run('npx', ['-y', 'pnpm@12', ...args], { cwd })
  return /\.[cm]?js$/.test(own) ? run(process.execPath, [own, ...args], { cwd }) : run(own, args, { cwd })
}

/**
 * Builds every package and packs it into the directory.
 * @returns the paths of the tarballs
 */
export async function pack(into: string): Promise<string[]> {
  await pnpm(['--recursive', 'run', 'build'])
  const names = packages.flatMap(({ manifest }) => ['--filter', manifest.name])
  await pnpm(['--recursive', ...names, 'pack', '--pack-destination', into])
  return readdirSync(into)
    .filter((file) => file.endsWith('.tgz'))
    .map((file) => join(into, file))
}
