import { swarm } from '../src/fuzz/swarm.ts'
import { defaultScenario, openWorld, runWorld } from '../src/index.ts'

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
  hashes.stepped = await steppedHash()
  return hashes
}

/** Of a run in steps, with changes by hand. */
async function steppedHash(): Promise<string> {
  const world = openWorld({ ...defaultScenario, durationMs: 60_000 }, 1)
  await world.advanceTo(5000)
  await world.change({ type: 'workers', group: 0, count: 2 })
  await world.step('message')
  await world.change({ type: 'fault', fault: { type: 'crash', node: 'worker-1', restartAfterMs: 2000 } })
  for (let atMs = 10_000; world.phase === 'running'; atMs += 777) await world.advanceTo(atMs)
  await world.advanceTo(Number.POSITIVE_INFINITY)
  return world.report().hash
}
