import { describe, expect, test } from 'vitest'
import {
  createClient,
  createWorker,
  defineTask,
  handle,
  type Logger,
  type TaskContext,
  type WorkerOptions,
} from '../src/index.ts'
import { bodiesOf, FakeWorld, valuesOf } from './fake-world.ts'

const ID = '01900000-0000-7000-8000-00000000000'
const a = defineTask<number, number>({ queue: 'a' })
const b = defineTask<number, number>({ queue: 'b' })

function recorder() {
  const lines: { level: string; fields: object; message: string }[] = []
  const keep = (level: string) => (fields: object, message: string) => void lines.push({ level, fields, message })
  const logger: Logger = { debug: keep('debug'), info: keep('info'), warn: keep('warn'), error: keep('error') }
  return { lines, logger }
}

/** A worker that was delivered these inputs from the queue `q`. */
async function worked<I>(
  handler: (input: I, ctx: TaskContext) => unknown,
  options: Partial<WorkerOptions>,
  ...inputs: unknown[]
) {
  const world = new FakeWorld()
  const worker = createWorker({ url: 'ws://broker', platform: world.platform, handlers: { q: handler }, ...options })
  void worker.start()
  const connection = await world.welcome()
  const leases = inputs.map((_, index) => index + 1)
  const ids = leases.map((lease) => `${ID}${lease}`)
  connection.say({ type: 'deliver', queue: 'q', leaseMs: 30_000, ids, leases, bodies: bodiesOf(...inputs) })
  await world.settle()
  return { world, worker, connection, values: connection.of('complete').flatMap(valuesOf) }
}

describe('handlers that cannot be used are refused at once', () => {
  test.each([
    [
      'a key that is not the contract’s',
      { b: handle(a, (n) => n) },
      "named 'b', but its contract is for the queue 'a'",
    ],
    ['no function', { a: 'resize' }, "the handler for 'a' is of type string"],
    ['nothing', { a: undefined }, "the handler for 'a' is of type undefined"],
    ['a handler whose function is missing', { a: { contract: a } }, "the handler for 'a' is of type object"],
    ['a list with a function', [() => 1], 'handlers[0] is of type function'],
    ['the same queue twice', [handle(a, (n) => n), handle(a, (n) => n)], "two handlers for the queue 'a'"],
    ['a queue that can be none', { 'a b': () => 1 }, '"a b" is no queue name'],
    ['no handlers', {}, 'at least one queue'],
    ['null', null, 'handlers is null'],
  ])('%s', (_, handlers, story) => {
    const { platform } = new FakeWorld()
    expect(() => createWorker({ url: 'ws://broker', platform, handlers: handlers as never })).toThrow(story)
  })

  test('so are an onError and a logger of a wrong kind', () => {
    const { platform } = new FakeWorld()
    const options = { url: 'ws://broker', platform, handlers: { q: () => 1 } }
    expect(() => createWorker({ ...options, onError: 'log' as never })).toThrow('onError has to be a function')
    expect(() => createWorker({ ...options, logger: {} as never })).toThrow('logger needs a function debug')
    expect(() => createClient({ url: 'ws://broker', platform, logger: console.log as never })).toThrow('logger needs')
    expect(() => createClient({ url: 'ws://broker', platform, signal: 'x' as never })).toThrow('signal has to be')
  })
})

test('a list of handlers with contracts names its queues itself', async () => {
  const world = new FakeWorld()
  const worker = createWorker({
    url: 'ws://broker',
    platform: world.platform,
    handlers: [handle(a, (n) => n), handle(b, (n) => n)],
  })
  void worker.start()
  const connection = await world.welcome()
  expect(connection.last('credit').queues).toEqual(['a', 'b'])
})

describe('a failed attempt is logged with its text', () => {
  const fail = (input: string) => {
    throw input === 'error' ? new Error('it broke') : input
  }

  test('where a logger is given, with and without an onError', async () => {
    for (const options of [{}, { onError: () => {} }]) {
      const { lines, logger } = recorder()
      await worked(fail, { logger, ...options }, 'error', 'text')
      expect(lines).toEqual([
        {
          level: 'warn',
          fields: { task: `${ID}1`, queue: 'q', attempt: 1, err: new Error('it broke') },
          message: 'attempt 1 failed: it broke',
        },
        {
          level: 'warn',
          fields: { task: `${ID}2`, queue: 'q', attempt: 1, err: 'text' },
          message: 'attempt 1 failed: text',
        },
      ])
    }
  })

  test('on the console where neither is given', async () => {
    const world = new FakeWorld()
    const printed: string[] = []
    const platform = { ...world.platform, warn: (message: string) => void printed.push(message) }
    const worker = createWorker({ url: 'ws://broker', platform, handlers: { q: fail } })
    void worker.start()
    const connection = await world.welcome()
    connection.say({
      type: 'deliver',
      queue: 'q',
      leaseMs: 30_000,
      ids: [`${ID}1`],
      leases: [1],
      bodies: bodiesOf('x'),
    })
    await world.settle()
    expect(printed).toEqual(['attempt 1 failed: x'])
  })
})

test('the context is a plain object of six properties, as in a thread', async () => {
  const { logger, lines } = recorder()
  const handler = (_: null, ctx: TaskContext) => {
    const { signal, progress, log } = { ...ctx }
    progress(1)
    log.info('a copy works')
    return {
      keys: Object.keys(ctx),
      copied: Object.keys({ ...ctx }),
      isSignal: signal === ctx.signal && signal instanceof AbortSignal,
      json: JSON.parse(JSON.stringify(ctx)),
    }
  }
  const { values, connection } = await worked(handler, { logger }, null)
  expect(values).toEqual([
    {
      keys: ['id', 'queue', 'attempt', 'signal', 'progress', 'log'],
      copied: ['id', 'queue', 'attempt', 'signal', 'progress', 'log'],
      isSignal: true,
      json: { id: `${ID}1`, queue: 'q', attempt: 1, signal: {}, log: {} },
    },
  ])
  expect(connection.last('reportProgress').updates).toEqual([{ lease: 1, progress: 1 }])
  expect(lines).toEqual([
    { level: 'info', fields: { task: `${ID}1`, queue: 'q', attempt: 1 }, message: 'a copy works' },
  ])
})

test('a log line is fields and a message, or one of the two', async () => {
  const { logger, lines } = recorder()
  const broken = new Error('broken')
  const handler = (_: null, { log }: TaskContext) => {
    log.debug({ size: 1 }, 'both')
    log.info('text')
    log.warn({ size: 2 })
    log.error(broken)
    log.info({
      get size() {
        throw broken
      },
    })
  }
  await worked(handler, { logger }, null)
  const task = { task: `${ID}1`, queue: 'q', attempt: 1 }
  expect(lines).toEqual([
    { level: 'debug', fields: { ...task, size: 1 }, message: 'both' },
    { level: 'info', fields: task, message: 'text' },
    { level: 'warn', fields: { ...task, size: 2 }, message: '' },
    { level: 'error', fields: { ...task, err: broken }, message: 'broken' },
    { level: 'info', fields: task, message: 'a log line cannot be read: broken' },
  ])
})

test('a logger that throws, as on a full disk, stops no work', async () => {
  const full = () => {
    throw new Error('ENOSPC')
  }
  const logger: Logger = { debug: full, info: full, warn: full, error: full }
  const handler = (input: number, { log }: TaskContext) => {
    log.info('working')
    if (input === 1) throw new Error('it broke')
    return input
  }
  const { values, worker } = await worked(handler, { logger }, 1, 2)
  expect(values).toEqual([2])
  expect(worker.stats()).toMatchObject({ succeeded: 1, failed: 1 })
})

test('progress is read once: a value that answers otherwise the next time stops nothing', async () => {
  const { logger, lines } = recorder()
  let asked = 0
  const fickle = {
    toJSON: () => {
      asked += 1
      return asked > 2 ? { big: 'x'.repeat(5000) } : 'small'
    },
  }
  const handler = (input: string, ctx: TaskContext) => {
    if (input === 'fickle') ctx.progress(fickle)
    else if (input === 'throws') {
      ctx.progress({
        toJSON: () => {
          ctx.progress('from within')
          throw new Error('not now')
        },
      })
    } else ctx.progress({ at: new Map() })
    return input
  }
  const { connection, values, worker } = await worked(handler, { logger }, 'fickle', 'throws', 'map')
  expect(connection.of('reportProgress').flatMap(({ updates }) => updates)).toEqual([{ lease: 1, progress: 'small' }])
  expect(values).toEqual(['fickle', 'throws', 'map'])
  expect(worker.state).toBe('working')
  expect(lines.map(({ message }) => message)).toEqual([
    'progress left out: not now',
    expect.stringContaining('progress left out: progress.at is a Map'),
  ])
})
