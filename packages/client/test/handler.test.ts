import { Bodies } from '@sluice/protocol'
import { expect, test } from 'vitest'
import { createWorker, defineTask, type Handler, handle } from '../src/index.ts'
import { bodiesOf, FakeWorld, valuesOf } from './fake-world.ts'

const ID = '01900000-0000-7000-8000-00000000000'

/** A worker of one place that was delivered these inputs, and what it has answered. */
async function worked(handlers: Parameters<typeof createWorker>[0]['handlers'], bodies: Bodies) {
  const world = new FakeWorld()
  const worker = createWorker({ url: 'ws://broker', platform: world.platform, handlers, concurrency: 1 })
  void worker.start()
  const connection = await world.welcome()
  const leases = bodies.lengths.map((_, index) => index + 1)
  const ids = leases.map((lease) => `${ID}${lease.toString(16)}`)
  connection.say({ type: 'deliver', queue: 'q', leaseMs: 30_000, ids, leases, bodies })
  await world.settle()
  return {
    worker,
    values: connection.of('complete').flatMap(valuesOf),
    failures: connection.of('fail').flatMap(({ failures }) => failures),
  }
}

/** What other libraries hand out in place of promises: nothing happens before `then` is called. */
const lazily = <T>(value: T) => ({
  // biome-ignore lint/suspicious/noThenProperty: that it is one is the point
  then: (resolve: (value: T) => void) => resolve(value),
})

const revoked = (): object => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

test('whatever a handler throws fails its attempt, and the next task is worked', async () => {
  const oddities: unknown[] = [
    Object.create(null),
    { message: Object.create(null) },
    {
      get message() {
        throw null
      },
    },
    revoked(),
    Symbol('odd'),
    undefined,
    null,
    () => {},
    Object.assign(new Error('an odd name'), {
      name: Symbol('odd'),
      stack: 7,
      retryable: 'no',
      retryAfterMs: Number.NaN,
    }),
  ]
  const handler: Handler<number> = (index) => {
    if (index < oddities.length) throw oddities[index]
    return 'worked'
  }
  const bodies = bodiesOf(...oddities.map((_, index) => index), oddities.length)
  const { values, failures, worker } = await worked({ q: handler }, bodies)
  expect(values).toEqual(['worked'])
  expect(failures).toHaveLength(oddities.length)
  expect(failures.slice(0, 4).map(({ error }) => error.message)).toEqual([
    'what the handler threw cannot be read',
    'what the handler threw cannot be read',
    'what the handler threw cannot be read',
    'what the handler threw cannot be read',
  ])
  expect(failures.slice(4)).toEqual([
    { lease: 5, error: { message: 'Symbol(odd)' } },
    { lease: 6, error: { message: 'undefined' } },
    { lease: 7, error: { message: 'null' } },
    { lease: 8, error: { message: expect.any(String) } },
    { lease: 9, error: { message: 'an odd name' } },
  ])
  expect(worker.stats()).toMatchObject({ running: 0, queued: 0 })
})

test('an error of another realm decides about the next attempt as one of this realm does', async () => {
  const foreign = { name: 'Far', message: 'away', retryable: false, retryAfterMs: 10.2 }
  const { failures } = await worked(
    {
      q: () => {
        throw foreign
      },
    },
    bodiesOf(1),
  )
  expect(failures).toEqual([{ lease: 1, error: { name: 'Far', message: 'away' }, retryable: false, retryAfterMs: 11 }])
})

test('what a handler returns in place of a promise is awaited', async () => {
  const { values } = await worked({ q: () => lazily('in the end') }, bodiesOf(1))
  expect(values).toEqual(['in the end'])
})

test('what a schema returns in place of a promise is awaited', async () => {
  const schema = (plus: number) => ({
    '~standard': {
      version: 1 as const,
      vendor: 'test',
      validate: (value: unknown) => lazily({ value: (value as number) + plus }) as never,
    },
  })
  const contract = defineTask<number, number>({ queue: 'q', input: schema(1), output: schema(0) })
  const { values } = await worked({ q: handle(contract, (input) => input) }, bodiesOf(5))
  expect(values).toEqual([6])
})

test('an output that JSON cannot say fails for good', async () => {
  const cycle: { self?: unknown } = {}
  cycle.self = cycle
  const outputs = [cycle, 1n, { toJSON: () => 2n }]
  const { failures, values } = await worked({ q: (index: number) => outputs[index] }, bodiesOf(0, 1, 2, 3))
  expect(failures.map(({ retryable, error }) => [retryable, error.name])).toEqual([
    [false, 'PermanentError'],
    [false, 'PermanentError'],
    [false, 'PermanentError'],
  ])
  // Nothing returned is `null`, as JSON has it in a list.
  expect(values).toEqual([null])
})

test('an input that is not the JSON it claims to be fails for good', async () => {
  const broken = Bodies.ofPieces([new TextEncoder().encode('{"a":')], [5])
  const { failures } = await worked({ q: () => 1 }, broken)
  expect(failures[0]).toMatchObject({ retryable: false, error: { message: expect.stringContaining('not JSON') } })
})
