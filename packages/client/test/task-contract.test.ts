import type { StandardSchemaV1 } from '@standard-schema/spec'
import { expect, expectTypeOf, test } from 'vitest'
import { createClient, createWorker, defineTask, handle, ValidationError } from '../src/index.ts'
import { bodiesOf, FakeWorld, valuesOf } from './fake-world.ts'

/** Text that becomes a number, and a number that becomes text. */
const toNumber: StandardSchemaV1<string, number> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) =>
      typeof value === 'string'
        ? { value: Number(value) }
        : { issues: [{ message: 'no text', path: ['at', { key: 0 }] }] },
  },
}
const toText: StandardSchemaV1<number, string> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: async (value) =>
      typeof value === 'number' ? { value: `${value} px` } : { issues: [{ message: 'no number' }] },
  },
}
const measure = defineTask({ queue: 'q', input: toNumber, output: toText })

test('schemas that transform are applied once, and each end has the types of what it gives and gets', async () => {
  const world = new FakeWorld()
  const seen: number[] = []
  const handler = handle(measure, (input, _ctx) => {
    expectTypeOf(input).toEqualTypeOf<number>()
    seen.push(input)
    return input * 2
  })
  void createWorker({ url: 'ws://broker', platform: world.platform, handlers: { q: handler } }).start()
  const worker = await world.welcome()
  const client = createClient({ url: 'ws://broker', platform: world.platform })
  const producer = await world.welcome()

  const submission = client.submit(measure, '21')
  await world.settle()
  const { ref, bodies, ids } = producer.last('submit')
  worker.say({ type: 'deliver', queue: 'q', leaseMs: 30_000, ids, leases: [1], bodies })
  await world.settle()
  producer.say(
    { type: 'submitted', ref, refused: [] },
    { type: 'succeeded', ref, indexes: [0], bodies: bodiesOf(...valuesOf(worker.last('complete'))) },
  )
  await world.settle()
  const result = await (await submission).result()
  expectTypeOf(result).toEqualTypeOf<string>()
  expect([seen, result]).toEqual([[21], '42 px'])
})

test('a value that the schema of its end refuses goes no further, and the error names the place', async () => {
  const world = new FakeWorld()
  const client = createClient({ url: 'ws://broker', platform: world.platform })
  const connection = await world.welcome()
  // @ts-expect-error text is submitted, not a number
  const refused = await client.submit(measure, 21).catch((error) => error)
  expect(refused).toBeInstanceOf(ValidationError)
  expect(refused.message).toBe('the input for q is invalid: at.0: no text')
  await world.settle()
  expect(connection.of('submit')).toEqual([])

  // @ts-expect-error a number is returned, not text
  const handler = handle(measure, () => 'many')
  void createWorker({ url: 'ws://broker', platform: world.platform, handlers: { q: handler } }).start()
  const worker = await world.welcome()
  const ids = ['01900000-0000-7000-8000-000000000001']
  worker.say({ type: 'deliver', queue: 'q', leaseMs: 30_000, ids, leases: [1], bodies: bodiesOf('21') })
  await world.settle()
  expect(worker.last('fail').failures[0]).toMatchObject({
    retryable: false,
    error: { name: 'ValidationError', message: 'the output is invalid: no number' },
  })
})

test('types without schemas are the same at both ends', () => {
  const contract = defineTask<{ name: string }, string[]>({ queue: 'q' })
  handle(contract, (input) => {
    expectTypeOf(input).toEqualTypeOf<{ name: string }>()
    return [input.name]
  })
  const client = createClient({ url: 'ws://broker', platform: new FakeWorld().platform })
  expectTypeOf(client.handle('01900000-0000-7000-8000-000000000001', contract).result()).resolves.toEqualTypeOf<
    string[]
  >()
})
