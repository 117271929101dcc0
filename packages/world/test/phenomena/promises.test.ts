import { describe, expect, test } from 'vitest'
import { checkers } from '../../src/checkers/index.ts'
import { phenomena } from '../../src/phenomena/index.ts'
import { waitingTime, waitingTimeOver } from '../../src/phenomena/waiting-time.ts'
import { runWorld } from '../../src/world.ts'

/** Some scenarios are over before all of their tasks are: that is what they show. */
const LIVENESS = 'WORLD-1'

const short = phenomena.map((one) =>
  one === waitingTime ? waitingTimeOver({ 'load 0.5': 400, 'load 0.8': 800 }) : one,
)

describe.each(short.map((phenomenon) => [phenomenon.name, phenomenon] as const))('%s', (_, { scenarios }) => {
  test.each(Object.entries(scenarios))('every other promise is kept: %s', async (_, scenario) => {
    const { violations } = await runWorld(scenario, 101, { checkers: checkers(scenario) })
    expect(violations.filter(({ rule }) => rule !== LIVENESS)).toEqual([])
  })
})
