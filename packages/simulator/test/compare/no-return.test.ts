import { runWorld } from '@sluice/world'
import { expect, test } from 'vitest'
import { doJob } from '../../src/compare/jobs.ts'
import { caseOf, futureOf, noReturnOf, questionsOf, sharesOf } from '../../src/compare/no-return.ts'

const own = caseOf('metastable')
const seeds = [1, 2, 3, 4]

/** How many of the futures recover. */
async function recovered(variant: number, atMs: number, remedy: 'none' | 'worker' = 'none'): Promise<number> {
  const results = []
  for (const seed of seeds) results.push(await doJob('fork', { case: own.name, variant, remedy, atMs, seed }))
  return results.filter(({ recovers }) => recovers).length
}

test('before the trigger every future recovers, and some seconds later none, if users retry at once', async () => {
  expect(await recovered(0, own.trigger.fromMs - 1000)).toBe(seeds.length)
  expect(await recovered(0, own.trigger.untilMs + 3000)).toBe(0)
})

test('with a retry budget every future recovers, also long after the trigger', async () => {
  expect(await recovered(1, own.trigger.untilMs - 500)).toBe(seeds.length)
  expect(await recovered(1, own.trigger.untilMs + 3000)).toBe(seeds.length)
})

test('futures share their past and differ after it', async () => {
  const atMs = 5000
  const run = async (seed: number) => {
    const seen: string[] = []
    const { scenario, seed: first, changes } = futureOf(own, { variant: 0, remedy: 'none', atMs, seed })
    await runWorld(scenario, first, {
      changes,
      only: new Set(own.looksAt),
      onObservation: (observation) => seen.push(JSON.stringify(observation)),
    })
    const at = seen.findIndex((line) => JSON.parse(line).atMs > atMs)
    return { past: seen.slice(0, at).join('\n'), future: seen.slice(at).join('\n') }
  }
  const [first, second] = [await run(1), await run(2)]
  expect(first.past.length).toBeGreaterThan(1000)
  expect(second.past).toBe(first.past)
  expect(second.future).not.toBe(first.future)
})

test('the first questions go over the whole span, and no question comes twice', () => {
  const { instants } = own
  const questions = questionsOf(own, 3)
  expect(questions).toHaveLength(instants.length * own.variants.length * 3)
  expect(new Set(questions.map((question) => JSON.stringify(question))).size).toBe(questions.length)
  const first = questions.slice(0, 14).map(({ atMs }) => atMs)
  expect(Math.max(...first) - Math.min(...first)).toBeGreaterThan(7000)
})

const answer = (atMs: number, seed: number, recovers: boolean) => ({ variant: 0, atMs, seed, recovers })

test('shares count only what was asked, and say how little that may be', () => {
  const shares = sharesOf([0, 10, 20], 0, [
    answer(0, 1, true),
    answer(0, 2, true),
    answer(10, 1, true),
    answer(10, 2, false),
    { ...answer(20, 1, true), variant: 1 },
  ])
  expect(shares.map(({ share }) => share)).toEqual([1, 0.5, Number.NaN])
  expect(shares[1]?.low).toBeGreaterThan(0.1)
  expect(shares[1]?.high).toBeLessThan(0.9)
  expect(shares[2]).toMatchObject({ low: 0, high: 1, asked: 0 })
})

test('the point of no return lies between the last open instant and the first lost one', () => {
  const at = (share: number, atMs: number) => sharesOf([atMs], 0, answersFor(share, atMs))[0] as never
  const answersFor = (share: number, atMs: number) =>
    Array.from({ length: 20 }, (_, seed) => answer(atMs, seed, seed < share * 20))
  expect(noReturnOf([at(1, 0), at(0.6, 10), at(0.3, 20), at(0, 30), at(0, 40)])).toEqual({
    openUntilMs: 10,
    lostFromMs: 30,
  })
  expect(noReturnOf([at(1, 0), at(1, 10)])).toBeUndefined()
  expect(noReturnOf([at(1, 0), at(0, 10), ...sharesOf([20], 0, [])])).toBeUndefined()
})
