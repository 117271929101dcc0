import { swarm } from '../src/fuzz/swarm.ts'
import { runWorld } from '../src/index.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Of `hashedRuns`, as the other runtime had them. */
    worldHashes: Record<string, string>
  }
}

/** The hashes of a few experiments with everything in them, by seed. */
export async function hashedRuns(): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {}
  for (let seed = 1; seed <= 25; seed += 1) hashes[seed] = (await runWorld(swarm(seed), seed)).hash
  return hashes
}
