import { scenarioWith } from '../challenges/attempt.ts'
import type { Challenge } from '../challenges/challenge.ts'

/** The address of a challenge, with a solution of it if there are values. */
export function challengeHash({ name }: Pick<Challenge, 'name'>, values?: readonly number[]): string {
  return `#/challenges/${name}${values === undefined ? '' : `?k=${values.join(',')}`}`
}

/** The values in an address; undefined if it has none, or such as the challenge does not allow. */
export function valuesIn(hash: string, challenge: Challenge): number[] | undefined {
  const text = new URLSearchParams(hash.split('?')[1] ?? '').get('k')
  if (text === null) return undefined
  const values = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)))
  try {
    scenarioWith(challenge, values)
  } catch {
    return undefined
  }
  return values.length === challenge.knobs.length ? values : undefined
}
