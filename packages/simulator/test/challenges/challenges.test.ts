import { describe, expect, test } from 'vitest'
import { costOf, goalsMissed, scenarioWith, startOf } from '../../src/challenges/attempt.ts'
import type { Challenge } from '../../src/challenges/challenge.ts'
import { challenges } from '../../src/challenges/index.ts'
import type { Figures } from '../../src/lessons/lesson.ts'
import { figuresOf } from '../lessons/trial.ts'

const PARAGRAPH_MAX = 320
const TITLE_MAX = 48

/** Tries one seed after the other until one misses a goal. */
async function goalsMissedWith(challenge: Challenge, values: readonly number[]): Promise<string[]> {
  const figures: Figures[] = []
  for (const seed of challenge.seeds) {
    figures.push(await figuresOf(challenge, { scenario: scenarioWith(challenge, values) }, seed))
    const missed = goalsMissed(challenge, figures)
    if (missed.length > 0) return missed.map(({ text }) => text)
  }
  return []
}

test('there are at least five challenges, and each has a name of its own', () => {
  expect(challenges.length).toBeGreaterThanOrEqual(5)
  expect(new Set(challenges.map(({ name }) => name)).size).toBe(challenges.length)
})

describe.each(challenges.map((challenge) => [challenge.name, challenge] as const))('%s', (name, challenge) => {
  const { knobs, scenario, budget, solution } = challenge

  test('it has a short title, short paragraphs, several seeds and at least two goals', () => {
    expect(name).toMatch(/^[a-z][a-z-]*[a-z]$/)
    expect(challenge.title.length).toBeLessThanOrEqual(TITLE_MAX)
    expect(challenge.text.filter((text) => text.length > PARAGRAPH_MAX)).toEqual([])
    expect(challenge.seeds.length).toBeGreaterThanOrEqual(3)
    expect(challenge.goals.length).toBeGreaterThanOrEqual(2)
  })

  test('what is written with a knob is read with it, and nothing else changes', () => {
    const before = JSON.stringify(scenario)
    for (const knob of knobs) {
      for (const value of [knob.min, knob.max]) expect(knob.read(knob.write(scenario, value))).toBe(value)
      expect(knob.write(scenario, knob.read(scenario))).toEqual(scenario)
    }
    expect(JSON.stringify(scenario)).toBe(before)
  })

  test('a value outside of the bounds of its knob is refused by name', () => {
    for (const [at, { label, min, max, step }] of knobs.entries()) {
      for (const wrong of [min - step, max + step, min + step / 2, Number.NaN])
        expect(() => scenarioWith(challenge, startOf(challenge).with(at, wrong))).toThrow(label)
    }
    expect(() => scenarioWith(challenge, [])).toThrow(RangeError)
  })

  test('its start and its solution are within the budget', () => {
    expect(costOf(challenge, startOf(challenge))).toBeLessThanOrEqual(budget)
    expect(costOf(challenge, solution)).toBeLessThanOrEqual(budget)
  })

  test('its solution reaches every goal with every seed', async () => {
    expect(await goalsMissedWith(challenge, solution)).toEqual([])
  }, 120_000)

  test('its start does not', async () => {
    expect(await goalsMissedWith(challenge, startOf(challenge))).not.toEqual([])
  }, 120_000)

  test('what it measures is what it names', async () => {
    const figures = await figuresOf(challenge, { scenario }, challenge.seeds[0] as number)
    expect(Object.keys(figures).sort()).toEqual(Object.keys(challenge.figures).sort())
  })
})

test('a challenge with a budget cannot be solved by turning every knob to its end', () => {
  for (const challenge of challenges.filter(({ budget }) => budget > 0)) {
    const most = challenge.knobs.map(({ max }) => max)
    expect(costOf(challenge, most)).toBeGreaterThan(challenge.budget)
  }
})
