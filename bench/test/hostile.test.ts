import { expect, test } from 'vitest'
import { attacks } from '../src/hostile/attacks/index.ts'
import { hostile } from '../src/hostile/hostile.ts'
import { mutated } from '../src/hostile/mutate.ts'
import { seededRandom } from '../src/torture/random.ts'

/** What an attack must have met in number, so that its zeros mean something. */
const metWithin: Record<string, string> = {
  frames: 'closed 4000',
  fragments: 'closed 1008',
  depth: '413',
  oversize: 'closed 1009',
  requests: '400',
  'slow-headers': '408',
  'slow-bodies': '408',
  silent: 'closed 4003',
  'half-open': 'cut',
  handshakes: 'upgraded',
  readers: 'refused',
  credit: 'within the credit',
  tokens: 'refused over HTTP',
  others: 'refused',
}

test.each(attacks)('$about: nothing is allowed that should not be', { timeout: 120_000 }, async (attack) => {
  const lines: string[] = []
  const [result] = await hostile({ attacks: [attack], seed: 1, scale: 'quick' }, (line) => lines.push(line))
  expect(result!.findings).toEqual([])
  expect(lines[0]).toMatch(new RegExp(`^${attack.name}: \\d+ attempts in \\d+ s, 0 findings$`))
  const value = (name: string) => result!.figures.find((figure) => figure.name === name)?.median
  expect(value('attempts')).toBeGreaterThanOrEqual(attack.attempts.quick)
  expect(value(metWithin[attack.name]!)).toBeGreaterThan(0)
  expect(value('unauthorised effects and failures')).toBe(0)
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
