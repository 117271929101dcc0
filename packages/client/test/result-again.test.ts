import type { BrokerMessage } from '@sluice/protocol'
import { describe, expect, test } from 'vitest'
import { createClient, TaskDeadError } from '../src/index.ts'
import { bodiesOf, FakeWorld } from './fake-world.ts'

async function online() {
  const world = new FakeWorld()
  const client = createClient({ url: 'ws://broker', platform: world.platform })
  const connection = await world.welcome()
  return { world, client, connection }
}

/** Observes a promise without waiting for it. */
function track<T>(promise: Promise<T>) {
  const seen: { value?: T; error?: unknown; done: boolean } = { done: false }
  promise.then(
    (value) => Object.assign(seen, { value, done: true }),
    (error) => Object.assign(seen, { error, done: true }),
  )
  return seen
}

const succeeded = (task: number | string, value: unknown): BrokerMessage =>
  typeof task === 'number'
    ? { type: 'succeeded', ref: task, indexes: [0], bodies: bodiesOf(value) }
    : { type: 'succeeded', ids: [task], bodies: bodiesOf(value) }

describe('a result that was refused', () => {
  const id = '01900000-0000-7000-8000-000000000001'

  test('is asked for again after the task was dead: it may have been put back into its queue', async () => {
    const { world, client, connection } = await online()
    const submission = track(client.submit('q', 1))
    await world.settle()
    const { ref } = connection.last('submit')
    const dead = { ref, index: 0, status: 'dead' as const, reason: 'not_retryable' as const, attempts: 1 }
    connection.say({ type: 'submitted', ref, refused: [] }, { type: 'ended', tasks: [dead] })
    await world.settle()
    const handle = submission.value!
    // It was told so already.
    await expect(handle.result()).rejects.toBeInstanceOf(TaskDeadError)
    expect(connection.of('watch')).toEqual([])
    const again = [track(handle.result()), track(handle.result())]
    const progress = track(handle.progress()[Symbol.asyncIterator]().next())
    await world.settle()
    expect(connection.of('watch').flatMap(({ ids }) => ids)).toEqual([handle.id])
    connection.say({ type: 'progress', tasks: [{ id: handle.id, progress: 'half' }] }, succeeded(handle.id, 7))
    await world.settle()
    expect(again.map(({ value }) => value)).toEqual([7, 7])
    expect(progress.value).toEqual({ done: false, value: 'half' })
  })

  test('is asked for again after the broker was busy', async () => {
    const { world, client, connection } = await online()
    const handle = client.handle(id)
    const first = track(handle.result())
    await world.settle()
    const { ref } = connection.last('watch')
    connection.say({ type: 'error', ref, code: 'busy', message: '16 watchers', field: 'ids[0]', retryAfterMs: 10 })
    connection.say({ type: 'watched', ref, unknown: [] })
    await world.settle()
    expect(first.error).toMatchObject({ code: 'busy' })
    const second = track(handle.result())
    await world.settle()
    expect(connection.of('watch')).toHaveLength(2)
    connection.say({ type: 'watched', ref: connection.last('watch').ref, unknown: [] }, succeeded(id, 8))
    await world.settle()
    expect(second.value).toBe(8)
  })
})
