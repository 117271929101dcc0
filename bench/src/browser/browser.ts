import type { Scale } from '../bench.ts'
import { Processes } from '../child.ts'
import { Scratch } from '../machine.ts'
import { seededRandom } from '../torture/random.ts'
import { Site } from './site.ts'
import type { Trial, TrialResult } from './trial.ts'

/** Makes each trial on a profile, a site and a broker of its own. */
export async function browserTrials(
  {
    trials,
    rounds,
    seed,
    scale,
    hiddenMs,
  }: { trials: readonly Trial[]; rounds: number; seed: number; scale: Scale; hiddenMs: number },
  say: (line: string) => void,
  onResult: (name: string, result: TrialResult) => void,
): Promise<({ name: string } & TrialResult)[]> {
  const results: ({ name: string } & TrialResult)[] = []
  for (const trial of trials) {
    using scratch = new Scratch()
    await using processes = new Processes()
    await using site = await Site.start()
    const random = seededRandom(seed)
    const ground = { scale, rounds, hiddenMs, random, processes, scratch, site, say }
    const result = await trial.run(ground)
    onResult(trial.name, result)
    results.push({ name: trial.name, ...result })
  }
  return results
}
