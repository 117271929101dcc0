import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import {
  type Executor,
  HandBackError,
  LeaseLostError,
  type Logger,
  silentLogger,
  TimeLimitExceeded,
} from '@sluice/client'
import { bodyToJson, jsonBody } from '@sluice/protocol'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createThreadPool } from '../src/index.ts'

const module = join(import.meta.dirname, 'fixtures', 'tasks.ts')

afterEach(() => {
  vi.unstubAllEnvs()
})

describe('a pool of one thread', () => {
  let pool: Executor
  let lines: { fields: object; message: string }[]

  beforeEach(() => {
    lines = []
    const keep = (fields: object, message: string) => void lines.push({ fields, message })
    const logger: Logger = { debug: keep, info: keep, warn: keep, error: keep }
    pool = createThreadPool({ module, size: 1, abortGraceMs: 200, logger })
  })
  afterEach(() => pool.close())

  function run(
    queue: string,
    input: unknown,
    hooks: { signal?: AbortSignal; progress?: (value: unknown) => void } = {},
  ) {
    return pool.run(
      { queue, id: 'task-1', attempt: 2, input: jsonBody(input) },
      {
        signal: hooks.signal ?? new AbortController().signal,
        progress: hooks.progress ?? (() => {}),
        setRunning: () => {},
      },
    )
  }

  test('a handler gets its input, its attempt and its id, and its output comes back', async () => {
    expect(bodyToJson(await run('double', { value: 21 }))).toEqual({ value: 42, attempt: 2, id: 'task-1' })
  })

  test('bytes go in and come out without becoming JSON', async () => {
    const input = { bytes: new Uint8Array([1, 2, 250]), contentType: 'application/octet-stream' }
    const hooks = { signal: new AbortController().signal, progress: () => {}, setRunning: () => {} }
    const output = await pool.run({ queue: 'bytes', id: 'task-1', attempt: 1, input }, hooks)
    expect(output).toEqual({ bytes: new Uint8Array([2, 3, 251]), contentType: 'application/octet-stream' })
  })

  test('this thread goes on while a handler blocks its own', async () => {
    let turns = 0
    const timer = setInterval(() => {
      turns += 1
    }, 20)
    await run('block', { ms: 600 })
    clearInterval(timer)
    expect(turns).toBeGreaterThan(10)
  })

  test('progress and log lines come out of the thread, the lines with task, queue and attempt', async () => {
    const progress: unknown[] = []
    await run('report', 3, { progress: (value) => progress.push(value) })
    expect(progress).toEqual([{ step: 1 }, { step: 2 }, { step: 3 }])
    expect(lines).toContainEqual({
      fields: { task: 'task-1', queue: 'report', attempt: 2, step: 2 },
      message: 'a step',
    })
  })

  test('what a handler reports right before it ends arrives before its output, every time', async () => {
    for (let round = 0; round < 200; round += 1) {
      lines = []
      const progress: unknown[] = []
      await run('last-words', round, { progress: (value) => progress.push(value) })
      expect(progress).toEqual([{ round }])
      expect(lines).toHaveLength(1)
    }
  })

  test('a failure keeps its name, its message, and whether and when to try again', async () => {
    await expect(run('permanent', null)).rejects.toMatchObject({
      name: 'PermanentError',
      message: 'never will',
      retryable: false,
    })
    await expect(run('later', null)).rejects.toMatchObject({ retryable: true, retryAfterMs: 1234 })
    await expect(run('throw-code', null)).rejects.toMatchObject({
      code: 'ENOENT',
      stack: expect.stringContaining('Caused by: Error: no such file'),
    })
  })

  test('bytes that cannot be moved out of a thread come out as well', async () => {
    expect(await run('pooled', null)).toMatchObject({ bytes: new TextEncoder().encode('hello') })
    expect(await run('shared', null)).toMatchObject({ bytes: new Uint8Array(2) })
    expect(bodyToJson(await run('double', { value: 1 }))).toMatchObject({ value: 2 })
  })

  test('progress that JSON cannot say is left out with a warning, as without threads', async () => {
    const progress: unknown[] = []
    expect(bodyToJson(await run('unsayable', null, { progress: (value) => progress.push(value) }))).toBe('done')
    expect(progress).toEqual([])
    expect(lines.map(({ message }) => message)).toEqual([
      expect.stringContaining('progress left out: progress.how is a function'),
      expect.stringContaining('progress left out: progress is a bigint'),
    ])
  })

  test('an error that a finished task left to a timer is told as foreign, and the task that it hits is handed back', async () => {
    expect(bodyToJson(await run('late', { ms: 100 }))).toBe('done')
    const hit = run('sleep', { ms: 20_000 }).catch((error: unknown) => error)
    expect(await hit).toBeInstanceOf(HandBackError)
    expect(await hit).toMatchObject({ message: expect.stringContaining('task-1 (late), which had ended') })
    expect(await hit).toMatchObject({ message: expect.stringContaining('the timer of a finished task') })
    expect(bodyToJson(await run('double', { value: 5 }))).toMatchObject({ value: 10 })
  })

  test('the context is a plain object of six properties, as without threads', async () => {
    expect(bodyToJson(await run('context', null))).toEqual({
      keys: ['id', 'queue', 'attempt', 'signal', 'progress', 'log'],
      copied: ['id', 'queue', 'attempt', 'signal', 'progress', 'log'],
      json: { id: 'task-1', queue: 'context', attempt: 2, signal: {}, log: {} },
    })
    expect(lines.map(({ message }) => message)).toContain('a message alone')
  })

  test('bytes that were transferred away cannot be the output, and the next task works', async () => {
    await expect(run('detached', null)).rejects.toThrow('the output cannot be sent')
    expect(bodyToJson(await run('double', { value: 5 }))).toMatchObject({ value: 10 })
  })

  test('a handler that reports in a loop does not flood this thread, and its last word arrives', async () => {
    const progress: unknown[] = []
    await run('chatty', 100_000, { progress: (value) => progress.push(value) })
    expect(progress.at(-1)).toBe(100_000)
    expect(progress.length).toBeLessThan(1_000)
  })

  test('what is thrown decides by its fields, and whatever it is fails the task', async () => {
    await expect(run('throw-data', null)).rejects.toMatchObject({ name: 'Far', message: 'away', retryable: false })
    await expect(run('throw-nothing-readable', null)).rejects.toThrow('cannot be read')
  })

  test('a queue without a handler fails its task and says so', async () => {
    await expect(run('absent', null)).rejects.toThrow("has none for the queue 'absent'")
  })

  test('an abort reaches the signal of a handler, with its reason', async () => {
    const controller = new AbortController()
    const running = run('heed', null, {
      signal: controller.signal,
      progress: () => controller.abort(new LeaseLostError('cancelled')),
    })
    await expect(running).rejects.toMatchObject({ name: 'LeaseLostError', reason: 'cancelled' })
    expect(lines).toContainEqual(expect.objectContaining({ message: 'aborted' }))
    expect(lines).not.toContainEqual(expect.objectContaining({ message: expect.stringContaining('ending its thread') }))
  })

  test('a thread that ignores the abort is ended after the grace, and the next task works', async () => {
    const controller = new AbortController()
    const running = run('forever', null, {
      signal: controller.signal,
      progress: () => controller.abort(new TimeLimitExceeded(100)),
    })
    await expect(running).rejects.toMatchObject({ name: 'TimeLimitExceeded' })
    expect(lines).toContainEqual(expect.objectContaining({ message: expect.stringContaining('ending its thread') }))
    expect(bodyToJson(await run('double', { value: 1 }))).toMatchObject({ value: 2 })
  })

  test('a task that waits for a thread is given up at once', async () => {
    const first = new AbortController()
    const busy = run('forever', null, { signal: first.signal })
    const second = new AbortController()
    const waiting = run('double', { value: 1 }, { signal: second.signal })
    second.abort(new LeaseLostError('expired'))
    await expect(waiting).rejects.toMatchObject({ reason: 'expired' })
    first.abort(new LeaseLostError('expired'))
    await expect(busy).rejects.toThrow()
  })

  test('a handler that calls process.exit() fails its task, and the next task works', async () => {
    await expect(run('exit', null)).rejects.toThrow(/exited/)
    expect(bodyToJson(await run('double', { value: 5 }))).toMatchObject({ value: 10 })
  })

  test('an error that a handler left to nobody fails its task, and the next task works', async () => {
    await expect(run('stray', null)).rejects.toThrow('nobody awaited this')
    expect(bodyToJson(await run('double', { value: 5 }))).toMatchObject({ value: 10 })
  })
})

test('a handler that takes all the memory of its thread fails its task, and the next task works', async () => {
  const program = join(import.meta.dirname, 'fixtures', 'hungry.ts')
  const { stdout } = await promisify(execFile)(process.execPath, ['--max-old-space-size=64', program])
  expect(JSON.parse(stdout)).toEqual([expect.stringMatching(/memory/), { value: 4, attempt: 1, id: 'task-1' }])
})

test('a thread that cannot load the module is replaced, and its task handed back with the reason', async () => {
  const marker = join(tmpdir(), randomUUID())
  vi.stubEnv('FLAKY_MARKER', marker)
  const lines: string[] = []
  const logger: Logger = { ...silentLogger, error: (_, message) => void lines.push(message) }
  const pool = createThreadPool({ module: join(import.meta.dirname, 'fixtures', 'flaky.ts'), size: 1, logger })
  const running: boolean[] = []
  const run = () =>
    pool.run(
      { queue: 'greet', id: 'task-1', attempt: 1, input: jsonBody(null) },
      {
        signal: new AbortController().signal,
        progress: () => {},
        setRunning: (isRunning) => running.push(isRunning),
      },
    )
  const first = run().catch((error: unknown) => error)
  expect(await first).toBeInstanceOf(HandBackError)
  expect(await first).toMatchObject({ message: expect.stringContaining('not this time') })
  expect(lines).toEqual([expect.stringContaining('is replaced')])
  // It never ran, so that no time counted.
  expect(running).toEqual([false])
  expect(bodyToJson(await run())).toBe('hello')
  expect(running).toEqual([false, false, true])
  await pool.close()
  await rm(marker)
})

test('a module that never loads hands its tasks back ever more slowly', async () => {
  const missing = join(import.meta.dirname, 'fixtures', `${randomUUID()}.ts`)
  const pool = createThreadPool({ module: missing, size: 1, logger: silentLogger })
  const run = async () => {
    const fromMs = performance.now()
    const running = pool.run(
      { queue: 'double', id: 'task-1', attempt: 1, input: jsonBody(null) },
      { signal: new AbortController().signal, progress: () => {}, setRunning: () => {} },
    )
    await expect(running).rejects.toThrow('no module of handlers')
    return performance.now() - fromMs
  }
  // The waits that are drawn up double: 250, 500 and 1,000 ms.
  const waits = [await run(), await run(), await run()]
  expect(waits[1]).toBeGreaterThan(490)
  expect(waits[2]).toBeGreaterThan(990)
  await pool.close()
})

test('a pool of no or too many threads is refused', () => {
  expect(() => createThreadPool({ module, size: 0 })).toThrow(RangeError)
  expect(() => createThreadPool({ module, size: 257 })).toThrow('from 1 to 256')
})
