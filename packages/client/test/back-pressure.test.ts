import { expect, test } from 'vitest'
import { createClient } from '../src/index.ts'
import { FakeWorld } from './fake-world.ts'

test('large inputs leave as fast as earlier ones are answered, however large the submit credit', async () => {
  const world = new FakeWorld()
  const client = createClient({ url: 'ws://broker', platform: world.platform })
  const connection = await world.welcome({ submitCredit: 10_000 })
  const input = 'x'.repeat(200_000)
  const submissions = Promise.all(Array.from({ length: 200 }, () => client.submit('q', input)))
  const unansweredMax = Math.ceil((16 * 1024 * 1024) / input.length)
  let answered = 0
  for (let round = 0; answered < 200; round++) {
    await world.settle()
    const messages = connection.of('submit')
    const sent = messages.reduce((sum, { ids }) => sum + ids.length, 0)
    expect(sent - answered).toBeGreaterThan(0)
    expect(sent - answered).toBeLessThanOrEqual(unansweredMax)
    connection.say({ type: 'submitted', ref: messages[round]!.ref, refused: [] })
    answered += messages[round]!.ids.length
  }
  await world.settle()
  expect(await submissions).toHaveLength(200)
})

test('what was unanswered when the connection was lost does not count on the next one', async () => {
  const world = new FakeWorld()
  const client = createClient({ url: 'ws://broker', platform: world.platform })
  const connection = await world.welcome({ submitCredit: 10_000 })
  const input = 'x'.repeat(250_000)
  for (let n = 0; n < 100; n++) void client.submit('q', input)
  await world.settle()
  const sent = connection.of('submit').flatMap(({ ids }) => ids)
  connection.close(1006)
  await world.pass(500)
  const next = await world.welcome({ resumed: true, submitCredit: 10_000 })
  expect(next.of('submit').flatMap(({ ids }) => ids)).toEqual(sent)
})
