import { describe, expect, test } from 'vitest'
import { createClient, defineTask } from '../src/index.ts'
import { FakeWorld } from './fake-world.ts'

async function online() {
  const world = new FakeWorld()
  const client = createClient({ url: 'ws://broker', platform: world.platform })
  const connection = await world.welcome()
  return { world, client, connection }
}

describe('options of a wrong kind are refused by their name', () => {
  test.each([
    [{ retry: 'fixed' }, 'options.retry'],
    [{ retry: ['fixed'] }, 'options.retry'],
    [{ watch: 'no' }, 'options.watch'],
    [{ onBusy: 'maybe' }, 'options.onBusy'],
    [{ signal: 'x' }, 'options.signal'],
    [{ id: 7 }, 'id'],
    [{ leaseMs: '100' }, 'options.leaseMs'],
    [5, 'options'],
    [[], 'options'],
    ['fixed', 'options'],
    [null, 'options'],
  ])('%j', async (options, field) => {
    const { client } = await online()
    await expect(client.submit('q', 1, options as never)).rejects.toMatchObject({ code: 'bad_message', field })
  })

  test('of a contract, and of what a handle is asked', async () => {
    const { client } = await online()
    const contract = defineTask<number, number>({ queue: 'q', options: 'fast' as never })
    await expect(client.submit(contract, 1)).rejects.toMatchObject({ field: 'options' })
    const handle = client.handle('01900000-0000-7000-8000-000000000001')
    const bad = { signal: 'x' as never }
    await expect(handle.status(bad)).rejects.toMatchObject({ field: 'options.signal' })
    await expect(handle.cancel(bad)).rejects.toMatchObject({ field: 'options.signal' })
    await expect(handle.result(bad)).rejects.toMatchObject({ field: 'options.signal' })
    expect(() => handle.progress(bad)).toThrow('signal has to be an AbortSignal')
  })
})
