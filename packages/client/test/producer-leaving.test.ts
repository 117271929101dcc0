import { expect, test } from 'vitest'
import { createClient, type Logger, silentLogger } from '../src/index.ts'
import { bodiesOf, FakeWorld } from './fake-world.ts'

const ID = '01900000-0000-7000-8000-00000000000'

async function online(submitCredit = 1000, logger: Logger = silentLogger) {
  const world = new FakeWorld()
  const client = createClient({ url: 'ws://broker', platform: world.platform, logger })
  const connection = await world.welcome({ submitCredit })
  return { world, client, connection }
}

test('a client that closes does not wait for what was given up while the connection was lost', async () => {
  const { world, client, connection } = await online()
  const controller = new AbortController()
  const submission = client.submit('q', 1, { signal: controller.signal }).catch((error) => error)
  await world.settle()
  connection.close(1006)
  await world.settle()
  let closed = false
  void client.close({ drainMs: 60_000 }).then(() => {
    closed = true
  })
  controller.abort(new Error('enough'))
  expect(await submission).toMatchObject({ message: 'enough' })
  await world.pass(500)
  await world.welcome({ resumed: true })
  expect(closed).toBe(true)
})

test('a task whose outcome came before it could be submitted again is not waited for', async () => {
  const { world, client, connection } = await online(2)
  const submissions = [1, 2].map((n) => client.submit('q', n, { id: `${ID}${n}` }))
  await world.settle()
  connection.close(1006)
  await world.pass(500)
  const next = await world.welcome({ resumed: true, submitCredit: 1 })
  expect(next.of('submit').flatMap(({ ids }) => ids)).toEqual([`${ID}1`])
  const succeeded = (n: number) => ({ type: 'succeeded' as const, ids: [`${ID}${n}`], bodies: bodiesOf(n) })
  next.say(succeeded(2))
  await world.settle()
  next.say(succeeded(1), { type: 'submitted', ref: next.last('submit').ref, refused: [] })
  await world.settle()
  next.say({ type: 'submitted', ref: next.last('submit').ref, refused: [] }, succeeded(2))
  await world.settle()
  const results = (await Promise.all(submissions)).map((handle) => handle.result())
  expect(await Promise.all(results)).toEqual([1, 2])
  // Nothing more is expected, so a broker that leaves is left at once.
  next.say({ type: 'drain', retryAfterMs: 1000 })
  await world.settle()
  expect(next.closedBy?.reason).toBe('drained')
})

test('progress that is asked for with a signal that has fired ends with its reason, whoever else reads', async () => {
  const { client } = await online()
  const handle = client.handle(`${ID}1`)
  void handle[Symbol.asyncIterator]().next()
  const progress = handle.progress({ signal: AbortSignal.abort(new Error('enough')) })
  await expect(progress[Symbol.asyncIterator]().next()).rejects.toThrow('enough')
})

test('a listener that throws is logged, and keeps neither a submission nor another listener from being told', async () => {
  const lines: string[] = []
  const logger: Logger = { ...silentLogger, error: (_, message) => void lines.push(message) }
  const { world, client, connection } = await online(1000, logger)
  const states: string[] = []
  client.onStateChange(() => {
    throw new Error('a listener')
  })
  client.onStateChange((state) => states.push(state))
  const submission = client.submit('q', 1).catch((error) => error)
  await world.settle()
  connection.close(4001)
  await world.settle()
  expect(await submission).toMatchObject({ code: 'unauthorized' })
  expect(states).toEqual(['failed'])
  expect(lines).toContain('onStateChange threw: a listener')
})
