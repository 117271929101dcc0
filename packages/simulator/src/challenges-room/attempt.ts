import { scenarioWith } from '../challenges/attempt.ts'
import { challenges } from '../challenges/index.ts'
import { observed } from '../engine/observed.ts'
import type { Figures } from '../lessons/lesson.ts'

/**
 * What a challenge measures in a whole run with these values.
 * @throws RangeError if there is no such challenge, or naming the knob that cannot have its value
 */
export async function attempt(name: string, values: readonly number[], seed: number): Promise<Figures> {
  const challenge = challenges.find((one) => one.name === name)
  if (challenge === undefined) throw new RangeError(`there is no challenge ${name}`)
  const scenario = scenarioWith(challenge, values)
  const seen = await observed({ scenario, seed, changes: [] }, challenge.looksAt, Number.POSITIVE_INFINITY)
  return challenge.measure(seen, scenario)
}
