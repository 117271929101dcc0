import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/**
 * The program of a pool's threads. It is beside this file, in the same form as this file: source or built.
 * @throws Error if a bundle lacks it
 */
export function threadFile(): URL {
  // A CommonJS bundle has no `import.meta.url`.
  const here = import.meta.url as string | undefined
  if (here === undefined)
    throw new Error(
      'the pool cannot find its threads in a CommonJS bundle: leave @sluice/worker-node out of the bundle',
    )
  const file = here.endsWith('.ts') ? new URL('./thread.ts', here) : new URL('./thread.js', here)
  if (!existsSync(file))
    throw new Error(`${fileURLToPath(file)} is missing: leave @sluice/worker-node out of the bundle (external)`)
  return file
}
