import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'

/** A file or two for each module that a process loads: more is mostly of programs in directories that are gone. */
const FILES_MAX = 10_000

/**
 * Lets every process that tests start keep what Node compiles, types stripped, for the next one. Most of the time of a
 * short process goes there. Node compares an entry with the module's text before it uses it.
 */
export function shareCompileCache(): void {
  const directory = join(import.meta.dirname, 'node_modules', '.cache', 'compiled')
  if (filesIn(directory) > FILES_MAX) rmSync(directory, { recursive: true, force: true })
  process.env.NODE_COMPILE_CACHE ??= directory
}

function filesIn(directory: string): number {
  try {
    return readdirSync(directory, { recursive: true }).length
  } catch {
    // No test has run here yet.
    return 0
  }
}
