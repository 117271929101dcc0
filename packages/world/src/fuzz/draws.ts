import type { RandomStream } from '../random.ts'

export function maybe<T>(random: RandomStream, probability: number, value: () => T): T | undefined {
  return random.chance(probability) ? value() : undefined
}

/** Only keys that are present, so that they can be spread over defaults. */
export function present<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as T
}
