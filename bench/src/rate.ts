import { sleep } from './wait.ts'

export interface Window {
  warmUpMs: number
  runMs: number
}

const lookEveryMs = 10

/**
 * Tasks a second between the end of the warm-up and the end of the run. Either lasts longer where no task has finished in it:
 * on a busy machine a short window may else see nothing.
 */
export async function rateOf(finished: () => number, { warmUpMs, runMs }: Window): Promise<number> {
  await atLeast(warmUpMs, finished)
  const before = finished()
  const startMs = performance.now()
  await atLeast(runMs, finished)
  return ((finished() - before) * 1000) / (performance.now() - startMs)
}

async function atLeast(ms: number, finished: () => number): Promise<void> {
  const before = finished()
  await sleep(ms)
  while (finished() === before) await sleep(lookEveryMs)
}
