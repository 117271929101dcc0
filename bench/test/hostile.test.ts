import { expect, test } from 'vitest'
import { attacks } from '../src/hostile/attacks/index.ts'
import { hostile } from '../src/hostile/hostile.ts'
import { mutated } from '../src/hostile/mutate.ts'
import { seededRandom } from '../src/torture/random.ts'

/** What an attack must have met in number, so that its zeros mean something. */
const metWithin: Record<string, string> = {
  frames: 'closed',
  requests: '400',
  tokens: 'refused over HTTP',
  others: 'refused',
}

test.each(attacks)('$about: nothing is allowed that should not be', { timeout: 120_000 }, async (attack) => {
  const lines: string[] = []
  const [result] = await hostile({ attacks: [attack], seed: 1, scale: 'quick' }, (line) => lines.push(line))
  expect(result!.findings).toEqual([])
  expect(lines[0]).toMatch(new RegExp(`^${attack.name}: \\d+ attempts, 0 findings$`))
  const value = (name: string) => result!.figures.find((figure) => figure.name === name)?.median
  expect(value('attempts')).toBeGreaterThanOrEqual(200)
  expect(value(metWithin[attack.name]!)).toBeGreaterThan(0)
  expect(value('unauthorised effects')).toBe(0)
})

test('equal seeds make equal mutants, and nearly every one differs from the original', () => {
  const original = Buffer.from('[{"type":"ping","ref":1}]')
  const some = (seed: number) => {
    const random = seededRandom(seed)
    return Array.from({ length: 200 }, () => Buffer.from(mutated(original, random)).toString('latin1'))
  }
  expect(some(1)).toEqual(some(1))
  expect(some(1).filter((text) => text === original.toString()).length).toBeLessThan(20)
})
