import { engineConfig } from '@sluice/engine'
import { expect, test } from 'vitest'
import { type BrokerCoreOptions, createBrokerCore, DEFAULT_HOST_CONFIG } from '../../src/core/index.ts'
import { createBroker } from '../../src/index.ts'
import { memoryJournal } from '../../src/journal/memory.ts'
import { bytesOf, HeldJournal, taskId, World } from './world.ts'

function options(overrides: Partial<BrokerCoreOptions> = {}): { world: World; options: BrokerCoreOptions } {
  const world = new World()
  const quiet = (): void => {}
  return {
    world,
    options: {
      journal: memoryJournal(),
      platform: world.platform,
      engine: engineConfig(),
      config: DEFAULT_HOST_CONFIG,
      log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
      version: '1.2.3',
      onFailure: quiet,
      ...overrides,
    },
  }
}

test('a broker core runs on any journal and platform, from start to stop', async () => {
  const { world, options: given } = options()
  const core = createBrokerCore(given)
  await world.during(core.start())
  expect(core.api.health()).toMatchObject({ status: 'ready', version: '1.2.3' })
  const refused = await world.during(core.api.submit('photos', undefined, [{ id: taskId(1), bytes: bytesOf('1') }]))
  expect(refused).toEqual([undefined])
  await world.during(core.drain(1000))
  expect(core.status).toBe('draining')
  await world.during(core.stop())
  expect([core.status, world.timers]).toEqual(['stopped', 0])
})

test('a core whose journal takes smaller batches than its settings fill is refused by their names', () => {
  const journal = { ...memoryJournal(), batchBytesMax: 1024 ** 2 }
  expect(() => createBrokerCore(options({ journal }).options)).toThrow(
    /stagedBytesMax \(16777216\) and frameBytesMax \(1048576\) must be at most 524288 bytes together/,
  )
})

test('a core that cannot start closes its journal', async () => {
  const journal = new HeldJournal()
  let closes = 0
  journal.load = () => Promise.reject(new Error('damaged'))
  journal.close = () => {
    closes += 1
  }
  await expect(createBrokerCore(options({ journal }).options).start()).rejects.toThrow('damaged')
  expect(closes).toBe(1)
})

test('createBroker takes a journal of your own, and refuses settings that it is too small for', async () => {
  const journal = memoryJournal()
  const broker = await createBroker({ journal, port: 0 })
  const answer = await fetch(`${broker.httpUrl}/v1/tasks`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ queue: 'photos', id: taskId(1), body: 1 }),
  })
  expect(answer.status).toBe(202)
  await broker.close()
  // What it holds, the next broker finds.
  const next = await createBroker({ journal, port: 0 })
  const task = await fetch(`${next.httpUrl}/v1/tasks/${taskId(1)}`)
  expect(await task.json()).toMatchObject({ state: 'ready', queue: 'photos' })
  await next.close()
  await expect(createBroker({ journal: { ...journal, batchBytesMax: 1000 }, port: 0 })).rejects.toThrow(
    /stagedBytesMax/,
  )
})
