import type { RandomStream } from '../random.ts'

export function maybe<T>(random: RandomStream, probability: number, value: () => T): T | undefined {
  return random.chance(probability) ? value() : undefined
}

/** Present keys alone, so that they may be spread over defaults. */
export function present<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as T
}
