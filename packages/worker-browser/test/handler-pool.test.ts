import { type ExecutorHooks, HandBackError, LeaseLostError } from '@sluice/client'
import type { Body } from '@sluice/protocol'
import { describe, expect, test, vi } from 'vitest'
import type { HandlerReport, TaskMessage } from '../src/handler-messages.ts'
import { HandlerPool } from '../src/handler-pool.ts'
import { HandlerWorkerDiedError } from '../src/index.ts'
import { ManualTimers } from './manual-timers.ts'

/** A handler Worker's port, whose other end is the test. */
class FakePort {
  readonly heard: TaskMessage[] = []
  onmessage: (event: { data: HandlerReport }) => void = () => {}

  postMessage(message: TaskMessage): void {
    this.heard.push(message)
  }

  close(): void {}

  say(data: HandlerReport): void {
    this.onmessage({ data })
  }

  end(workedMs = 0): void {
    this.say({ type: 'ended', outcome: { ok: true, bytes: new Uint8Array([7]) }, workedMs })
  }
}

function rig(options: { size?: number; cpuShare?: number } = {}) {
  const timers = new ManualTimers()
  const spawned: number[] = []
  const ended: number[] = []
  const locks = new Map<string, () => void>()
  const capacities: number[] = []
  const pool: HandlerPool = new HandlerPool(
    {
      setTimer: (fn, ms) => timers.set(fn, ms),
      spawn: (worker) => spawned.push(worker),
      end: (worker) => ended.push(worker),
      awaitLock: (name, onFree) => {
        locks.set(name, onFree)
        return () => locks.delete(name)
      },
      onCapacity: () => capacities.push(pool.ready),
      log: () => {},
    },
    { size: options.size ?? 1, cpuShare: options.cpuShare ?? 1, abortGraceMs: 1000 },
  )
  const serve = (worker: number, isReady = true) => {
    const port = new FakePort()
    pool.serving(worker, port as unknown as MessagePort, `lock ${worker}`)
    if (isReady) port.say({ type: 'ready', isLocked: true })
    return port
  }
  return { pool, timers, spawned, ended, locks, capacities, serve }
}

/** A task in the pool, with its signal. */
function run(pool: HandlerPool) {
  const abort = new AbortController()
  const setRunning = vi.fn()
  const hooks: ExecutorHooks = { signal: abort.signal, progress: vi.fn(), setRunning }
  const result: Promise<Body> = pool.run(
    { queue: 'q', id: 'a', attempt: 1, input: { bytes: new Uint8Array(1) } },
    hooks,
  )
  // It is looked at later.
  result.catch(() => {})
  return { abort, hooks, result }
}

test('only Workers that serve and hold their lock count, and the time limit counts while a handler runs', async () => {
  const { pool, spawned, capacities, serve } = rig({ size: 2 })
  expect([spawned, pool.ready]).toEqual([[0, 1], 0])
  const port = serve(0, false)
  expect(pool.ready).toBe(0)
  port.say({ type: 'ready', isLocked: true })
  expect(capacities).toEqual([1])
  const { hooks, result } = run(pool)
  expect(hooks.setRunning).toHaveBeenLastCalledWith(false)
  port.say({ type: 'started' })
  expect(hooks.setRunning).toHaveBeenLastCalledWith(true)
  port.say({ type: 'progress', value: 1 })
  expect(hooks.progress).toHaveBeenCalledWith(1)
  port.end()
  expect(await result).toEqual({ bytes: new Uint8Array([7]) })
})

describe('a Worker that dies', () => {
  test('fails the attempt by name once the handler has begun, and is replaced after a wait', async () => {
    const { pool, timers, spawned, ended, locks, serve } = rig()
    const port = serve(0)
    const { result } = run(pool)
    port.say({ type: 'started' })
    locks.get('lock 0')?.()
    await expect(result).rejects.toBeInstanceOf(HandlerWorkerDiedError)
    expect([pool.ready, ended, spawned]).toEqual([0, [0], [0]])
    timers.pass(249)
    expect(spawned).toEqual([0])
    timers.pass(1)
    expect(spawned).toEqual([0, 1])
  })

  test('hands the task back before that', async () => {
    const { pool, locks, serve } = rig()
    serve(0)
    const { result } = run(pool)
    locks.get('lock 0')?.()
    await expect(result).rejects.toBeInstanceOf(HandBackError)
  })

  test('and was idle takes nothing with it', async () => {
    const { pool, locks, serve } = rig()
    serve(0)
    locks.get('lock 0')?.()
    await expect(run(pool).result).rejects.toThrow('no handler Worker is free')
  })
})

test('a script that does not load is tried again later and later, until a handler has finished', () => {
  const { pool, timers, spawned, serve } = rig()
  pool.unusable(0, 'the script is not there')
  expect(pool.trouble).toBe('the script is not there')
  timers.pass(250)
  pool.unusable(1, 'the script is not there')
  timers.pass(499)
  expect(spawned).toEqual([0, 1])
  timers.pass(1)
  expect(spawned).toEqual([0, 1, 2])
  const port = serve(2)
  expect(pool.trouble).toBeUndefined()
  run(pool)
  port.end()
  expect(pool.ready).toBe(1)
})

describe('a handler whose signal fires', () => {
  test('may end by itself', async () => {
    const { pool, timers, ended, serve } = rig()
    const port = serve(0)
    const { abort, result } = run(pool)
    port.say({ type: 'started' })
    abort.abort(new LeaseLostError('cancelled'))
    expect(port.heard.at(-1)).toEqual({ type: 'abort', id: 'a', reason: { kind: 'leaseLost', reason: 'cancelled' } })
    port.end()
    await expect(result).rejects.toThrow('cancelled')
    timers.pass(5000)
    expect([ended, pool.ready]).toEqual([[], 1])
  })

  test('is terminated after the grace, and its Worker replaced at once', async () => {
    const { pool, timers, spawned, ended, serve } = rig()
    const port = serve(0)
    const { abort, result } = run(pool)
    port.say({ type: 'started' })
    abort.abort(new LeaseLostError('cancelled'))
    timers.pass(999)
    expect(ended).toEqual([])
    timers.pass(1)
    expect([ended, spawned]).toEqual([[0], [0, 1]])
    await expect(result).rejects.toThrow('cancelled')
  })

  test('that belongs to an earlier task does not end a later one', async () => {
    const { pool, timers, ended, serve } = rig()
    const port = serve(0)
    const { abort } = run(pool)
    abort.abort(new LeaseLostError('cancelled'))
    port.end()
    const next = run(pool)
    timers.pass(5000)
    port.end()
    await expect(next.result).resolves.toBeDefined()
    expect(ended).toEqual([])
  })
})

test('a Worker rests after its task, and is not counted until then', async () => {
  const { pool, timers, capacities, serve } = rig({ cpuShare: 0.25 })
  const port = serve(0)
  const { result } = run(pool)
  port.end(1000)
  // Before the task ends: otherwise the next one would be asked for.
  expect(capacities).toEqual([1, 0])
  await result
  expect([pool.ready, pool.resting]).toEqual([0, 1])
  timers.pass(2999)
  expect(pool.ready).toBe(0)
  timers.pass(1)
  expect([pool.ready, pool.resting]).toEqual([1, 0])
})

test('closed it ends its Workers, hands tasks back, and leaves no timer', async () => {
  const { pool, timers, spawned, ended, locks, serve } = rig({ size: 2, cpuShare: 0.5 })
  serve(0)
  const { abort, result } = run(pool)
  abort.abort()
  pool.unusable(1, 'no')
  await pool.close()
  await expect(result).rejects.toBeDefined()
  timers.pass(60_000)
  expect([ended, spawned, timers.pending, locks.size]).toEqual([[0], [0, 1], 0, 0])
  // A Worker that was on its way.
  pool.serving(9, new FakePort() as unknown as MessagePort, 'lock 9')
  expect(ended).toEqual([0, 9])
})
