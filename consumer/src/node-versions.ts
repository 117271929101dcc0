import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { manifestIn, root } from './packages.ts'
import { run } from './run.ts'

/** The lowest Node that the packages name, and the long-term version that most people have. */
export const nodeVersions: readonly string[] = [`${manifestIn(root).engines?.node?.replace('>=', '')}.1`, '24']

/** A directory with the program `node` of that version, from the registry; it is kept for the next time. */
export async function nodeBins(version: string): Promise<string> {
  const directory = join(root, 'node_modules', '.cache', 'consumer', `node-${version}`)
  const bins = join(directory, 'node_modules', 'node', 'bin')
  if (existsSync(join(bins, 'node'))) return bins
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ private: true }))
  await run('npm', ['install', '--no-audit', '--no-fund', '--loglevel', 'error', `node@${version}`], { cwd: directory })
  return bins
}
