import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Executor, LeaseLostError, type Logger, silentLogger, TimeLimitExceeded } from '@sluice/client'
import { bodyToJson, jsonBody } from '@sluice/protocol'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createThreadPool } from '../src/index.ts'

const module = join(import.meta.dirname, 'fixtures', 'tasks.ts')

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
      { signal: hooks.signal ?? new AbortController().signal, progress: hooks.progress ?? (() => {}) },
    )
  }

  test('a handler gets its input, its attempt and its id, and its output comes back', async () => {
    expect(bodyToJson(await run('double', { value: 21 }))).toEqual({ value: 42, attempt: 2, id: 'task-1' })
  })

  test('bytes go in and come out without becoming JSON', async () => {
    const input = { bytes: new Uint8Array([1, 2, 250]), contentType: 'application/octet-stream' }
    const hooks = { signal: new AbortController().signal, progress: () => {} }
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
  })

  test('bytes that cannot be moved out of a thread come out as well', async () => {
    expect(await run('pooled', null)).toMatchObject({ bytes: new TextEncoder().encode('hello') })
    expect(await run('shared', null)).toMatchObject({ bytes: new Uint8Array(2) })
    expect(bodyToJson(await run('double', { value: 1 }))).toMatchObject({ value: 2 })
  })

  test('progress that JSON cannot say is left out with a warning, as without threads', async () => {
    const progress: unknown[] = []
    expect(bodyToJson(await run('unsayable', null, { progress: (value) => progress.push(value) }))).toBe('done')
    expect(progress).toEqual([{ at: 1 }])
    expect(lines).toEqual([
      {
        fields: { task: 'task-1', queue: 'unsayable', attempt: 2 },
        message: expect.stringContaining('progress left out'),
      },
    ])
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

test('a module that does not load fails the tasks, with its reason', async () => {
  const missing = join(import.meta.dirname, 'fixtures', `${randomUUID()}.ts`)
  const pool = createThreadPool({ module: missing, size: 1, logger: silentLogger })
  const running = pool.run(
    { queue: 'double', id: 'task-1', attempt: 1, input: jsonBody(null) },
    { signal: new AbortController().signal, progress: () => {} },
  )
  await expect(running).rejects.toThrow('no module of handlers')
  await pool.close()
})

test('a pool of no or too many threads is refused', () => {
  expect(() => createThreadPool({ module, size: 0 })).toThrow(RangeError)
  expect(() => createThreadPool({ module, size: 257 })).toThrow('from 1 to 256')
})
