import { expect, test } from 'vitest'
import { createClient, silentLogger } from '../src/index.ts'
import { FakeWorld } from './fake-world.ts'

test('a submission that waits for room in its queue is told once, after two seconds, and again when there is room', async () => {
  const world = new FakeWorld()
  const lines: string[] = []
  const keep = (_: object, message: string) => void lines.push(message)
  const logger = { ...silentLogger, warn: keep, info: keep }
  const client = createClient({ url: 'ws://broker', platform: world.platform, logger })
  const connection = await world.welcome()
  const handle = client.submit('resize', 1)
  const refuse = () => {
    const { ref } = connection.last('submit')
    const error = { code: 'busy' as const, message: 'queue resize is full', retryAfterMs: 500 }
    connection.say({ type: 'submitted', ref, refused: [{ index: 0, error }] })
  }
  await world.settle()
  for (let asked = 1; asked <= 10; asked++) {
    refuse()
    await world.pass(1000)
    expect(connection.of('submit')).toHaveLength(asked + 1)
    expect(lines).toHaveLength(asked < 3 ? 0 : 1)
  }
  connection.say({ type: 'submitted', ref: connection.last('submit').ref, refused: [] })
  await world.settle()
  await handle
  expect(lines).toEqual(['submissions to resize wait for room: queue resize is full', 'resize takes submissions again'])
})
