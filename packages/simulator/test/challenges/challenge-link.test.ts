import { expect, test } from 'vitest'
import { startOf } from '../../src/challenges/attempt.ts'
import { challenges } from '../../src/challenges/index.ts'
import { challengeHash, valuesIn } from '../../src/challenges-room/challenge-link.ts'
import { doJob } from '../../src/compare/jobs.ts'

const monday = challenges.find(({ name }) => name === 'survive-monday') as (typeof challenges)[number]

test.each(challenges)('$title: a link brings back the values of a solution', (challenge) => {
  for (const values of [challenge.solution, startOf(challenge)]) {
    const hash = challengeHash(challenge, values)
    expect(valuesIn(hash, challenge)).toEqual(values)
    expect(hash.length).toBeLessThan(100)
  }
  expect(valuesIn(challengeHash(challenge), challenge)).toBeUndefined()
})

test.each(['3', '3,1,2', '3,', '3,99', '3,x', '3,0.5'])('the values %s in a link are not taken', (text) => {
  expect(valuesIn(`#/challenges/survive-monday?k=${text}`, monday)).toBeUndefined()
})

test('a solution is measured in a Worker as it is without one', async () => {
  const [seed = 1] = monday.seeds
  const figures = await doJob('challenge', { name: monday.name, values: monday.solution, seed })
  expect(monday.goals.map((goal) => goal.holds(figures))).toEqual([true, true])
  await expect(doJob('challenge', { name: 'nothing', values: [], seed })).rejects.toThrow('nothing')
})
