import { defaultScenario } from '../scenarios/default.ts'
import { runWorld } from '../world.ts'

export interface Speed {
  /** How many times as fast as real time the default scenario ran: the median of all runs. */
  median: number
  /** Of each run, in order. The first ones run code that is not compiled yet. */
  runs: number[]
}

/**
 * Runs the default scenario with seeds from 1 on, one after the other on this thread.
 * @param nowMs the real clock
 */
export async function speedOf(count: number, nowMs: () => number): Promise<Speed> {
  const runs: number[] = []
  for (let seed = 1; seed <= count; seed += 1) {
    const startedAtMs = nowMs()
    const { simulatedMs } = await runWorld(defaultScenario, seed)
    runs.push(Math.round(simulatedMs / (nowMs() - startedAtMs)))
  }
  const sorted = runs.toSorted((a, b) => a - b)
  return { median: sorted[sorted.length >> 1] ?? 0, runs }
}
