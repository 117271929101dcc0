import { Bodies, type BrokerMessage } from '@sluice/protocol'
import { describe, expect, test } from 'vitest'
import { ClosedError, createClient, defineTask, SluiceError, TaskCancelledError, TaskDeadError } from '../src/index.ts'
import { bodiesOf, FakeWorld, valuesOf } from './fake-world.ts'

async function online(submitCredit = 1000, limits = {}) {
  const world = new FakeWorld(limits)
  const client = createClient({ url: 'ws://broker', platform: world.platform })
  const connection = await world.welcome({ submitCredit })
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

describe('submitting', () => {
  test('submissions of one turn leave as one message and resolve when durable', async () => {
    const { world, client, connection } = await online()
    const submissions = [1, 2, 3].map((n) => track(client.submit('q', { n })))
    await world.settle()
    const message = connection.last('submit')
    const { ids, ref, queue } = message
    expect(connection.of('submit')).toHaveLength(1)
    expect(queue).toBe('q')
    expect(valuesOf(message)).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }])
    expect(submissions.some((s) => s.done)).toBe(false)
    connection.say({ type: 'submitted', ref, refused: [] })
    await world.settle()
    expect(submissions.map((s) => s.value?.id)).toEqual(ids)
  })

  test('submissions that wake each other over several promises still share a frame', async () => {
    const { world, client, connection } = await online()
    const before = connection.frames
    const chain = async (left: number): Promise<void> => {
      void client.submit('q', left)
      await Promise.resolve()
      if (left > 1) await chain(left - 1)
    }
    void chain(50)
    await world.settle()
    expect(connection.frames - before).toBe(1)
    expect(connection.of('submit').flatMap((m) => m.ids)).toHaveLength(50)
  })

  test('what fills a frame leaves before the turn is over', async () => {
    const { world, client, connection } = await online(5000)
    const before = connection.frames
    for (let i = 0; i < 1200; i++) void client.submit('q', i)
    await world.settle()
    expect(connection.frames - before).toBe(3)
    expect(connection.of('submit').map(({ ids }) => ids.length)).toEqual([500, 500, 200])
  })

  test('tasks with other options or another queue go into messages of their own', async () => {
    const { world, client, connection } = await online()
    void client.submit('a', 1)
    void client.submit('b', 2)
    void client.submit('a', 3, { priority: 9 })
    void client.submit('a', 4)
    void client.submit('a', 5, { priority: 9 })
    await world.settle()
    const groups = connection.of('submit').map((m) => [m.queue, m.options, valuesOf(m)])
    expect(groups).toEqual([
      ['a', undefined, [1, 4]],
      ['b', undefined, [2]],
      ['a', { priority: 9 }, [3, 5]],
    ])
  })

  test('a large batch is divided so that no message passes the limits', async () => {
    const { world, client, connection } = await online(5000, { frameBytesMax: 64 * 1024 })
    for (let i = 0; i < 100; i++) void client.submit('q', 'x'.repeat(4000))
    for (let i = 0; i < 1200; i++) void client.submit('q', i)
    await world.settle()
    const messages = connection.of('submit')
    expect(messages.reduce((sum, m) => sum + m.ids.length, 0)).toBe(1300)
    for (const message of messages) {
      expect(message.ids.length).toBeLessThanOrEqual(500)
      expect(message.bodies.bytes.length).toBeLessThan(32 * 1024)
    }
  })

  test('no more tasks are unanswered than the submit credit allows', async () => {
    const { world, client, connection } = await online(2)
    const all = [1, 2, 3, 4, 5, 6].map((n) => track(client.submit('q', n)))
    await world.settle()
    expect(connection.last('submit').ids).toHaveLength(2)
    connection.say({ type: 'submitted', ref: connection.last('submit').ref, refused: [] })
    await world.settle()
    expect(all.filter((s) => s.done)).toHaveLength(2)
    expect(connection.of('submit').map((m) => m.ids.length)).toEqual([2, 2])
  })

  test('what is unanswered when the connection is lost is sent again with the same ids, and nothing else', async () => {
    const { world, client, connection } = await online()
    const first = track(client.submit('q', 'answered'))
    await world.settle()
    connection.say({ type: 'submitted', ref: connection.last('submit').ref, refused: [] })
    await world.settle()
    expect(first.done).toBe(true)
    const lost = ['a', 'b'].map((input) => track(client.submit('q', input)))
    await world.settle()
    const unanswered = connection.last('submit').ids
    connection.close(1006)
    await world.settle()
    const late = track(client.submit('q', 'c'))
    await world.pass(500)
    const next = await world.welcome({ resumed: true })
    expect(next).not.toBe(connection)
    expect(next.last('hello').resume).toEqual({ session: 's1', leases: [] })
    const again = next.of('submit')
    expect(again.flatMap(({ ids }) => ids).slice(0, 2)).toEqual(unanswered)
    expect(again.flatMap(valuesOf)).toEqual(['a', 'b', 'c'])
    for (const { ref } of next.of('submit')) next.say({ type: 'submitted', ref, refused: [] })
    await world.settle()
    expect([...lost, late].every((s) => s.value !== undefined)).toBe(true)
  })

  test('[RESULT-2] a task that was forgotten before its outcome could be told is unknown', async () => {
    const { world, client, connection } = await online()
    const result = track(client.submit('q', 1).then((handle) => handle.result()))
    await world.settle()
    const { ref } = connection.last('submit')
    connection.say({ type: 'submitted', ref, refused: [] })
    connection.say({ type: 'ended', tasks: [{ ref, index: 0, status: 'forgotten', attempts: 0 }] })
    await world.settle()
    expect(result.error).toMatchObject({ name: 'SluiceError', code: 'unknown_task' })
  })

  test('[SUBMIT-2] a task of an id that the broker holds already has its outcome told by id', async () => {
    const { world, client, connection } = await online()
    const id = '0190b6e2-1c4f-7d3a-8e5b-9f2a6c7d8e01'
    const other = '0190b6e2-1c4f-7d3a-8e5b-9f2a6c7d8e02'
    const results = [id, other].map((id) =>
      track(client.submit('q', 'as before', { id }).then((handle) => handle.result())),
    )
    await world.settle()
    connection.say({ type: 'succeeded', ids: [id], bodies: bodiesOf('done') })
    connection.say({ type: 'submitted', ref: connection.last('submit').ref, refused: [] })
    connection.say({ type: 'ended', tasks: [{ id: other, status: 'cancelled', attempts: 0 }] })
    await world.settle()
    expect(results[0]?.value).toBe('done')
    expect(results[1]?.error).toBeInstanceOf(TaskCancelledError)
  })

  test('a busy verdict is tried again after the wish of the broker and a jitter', async () => {
    const { world, client, connection } = await online()
    const submission = track(client.submit('q', 1))
    await world.settle()
    const first = connection.last('submit')
    const error = { code: 'busy' as const, message: 'full', retryAfterMs: 2000 }
    connection.say({ type: 'submitted', ref: first.ref, refused: [{ index: 0, error }] })
    await world.pass(1999)
    expect(connection.of('submit')).toHaveLength(1)
    await world.pass(500)
    const second = connection.last('submit')
    expect(second.ids[0]).toBe(first.ids[0])
    connection.say({ type: 'submitted', ref: second.ref, refused: [] })
    await world.settle()
    expect(submission.value?.id).toBe(first.ids[0])
  })

  test('a caller may have busy thrown instead', async () => {
    const { world, client, connection } = await online()
    const submission = track(client.submit('q', 1, { onBusy: 'throw' }))
    await world.settle()
    const error = { code: 'busy' as const, message: 'full', retryAfterMs: 2000 }
    connection.say({ type: 'submitted', ref: connection.last('submit').ref, refused: [{ index: 0, error }] })
    await world.settle()
    expect(submission.error).toMatchObject({ code: 'busy', retryAfterMs: 2000, retryable: true })
  })

  test('a verdict that would be the same again rejects that task and no other', async () => {
    const { world, client, connection } = await online()
    const [good, bad] = [track(client.submit('q', 1)), track(client.submit('q', 2))]
    await world.settle()
    const error = { code: 'id_conflict' as const, message: 'other content' }
    connection.say({ type: 'submitted', ref: connection.last('submit').ref, refused: [{ index: 1, error }] })
    await world.settle()
    expect(good.value?.queue).toBe('q')
    expect(bad.error).toBeInstanceOf(SluiceError)
    expect(bad.error).toMatchObject({ code: 'id_conflict', retryable: false })
  })

  test('an input past the body limit is refused here, naming the limit', async () => {
    const { world, client, connection } = await online(10, { bodyBytesMax: 1000 })
    const submission = track(client.submit('q', 'x'.repeat(2000)))
    await world.settle()
    expect(submission.error).toMatchObject({ code: 'too_large', limit: 1000, field: 'bodies' })
    expect(connection.of('submit')).toHaveLength(0)
  })

  test('options out of range and bad queue names are refused here, naming the field', async () => {
    const { client } = await online()
    await expect(client.submit('q', 1, { priority: 10 })).rejects.toMatchObject({ field: 'options.priority' })
    await expect(client.submit('q', 1, { retry: { kind: 'none', attemptsMax: 0 } })).rejects.toMatchObject({
      field: 'options.retry.attemptsMax',
    })
    await expect(client.submit('no queue', 1)).rejects.toMatchObject({ field: 'queue' })
    await expect(client.submit('q', 1, { id: 'x' })).rejects.toMatchObject({ field: 'id' })
  })

  test('an option that there is not is refused here, naming it and those that there are', async () => {
    const { world, client, connection } = await online()
    const misspelt = [
      [{ attemptsMax: 1 }, 'options.attemptsMax'],
      [{ prioriti: 1 }, 'options.prioriti'],
      [{ retry: { kind: 'none', delay: 1 } }, 'options.retry.delay'],
    ] as const
    for (const [options, field] of misspelt) {
      await expect(client.submit('q', 1, options as object)).rejects.toMatchObject({ code: 'bad_message', field })
    }
    const contract = defineTask({ queue: 'q', options: { watch: false } as object })
    await expect(client.submit(contract, 1)).rejects.toThrow(/no field "watch": it may have priority, leaseMs/)
    await world.settle()
    expect(connection.of('submit')).toEqual([])
  })

  test('a signal ends the waiting: before it is sent, the task never leaves', async () => {
    const { world, client, connection } = await online(1)
    const controller = new AbortController()
    void client.submit('q', 1)
    const waiting = track(client.submit('q', 2, { signal: controller.signal }))
    await world.settle()
    controller.abort(new Error('enough'))
    await world.settle()
    expect(waiting.error).toMatchObject({ message: 'enough' })
    connection.say({ type: 'submitted', ref: connection.last('submit').ref, refused: [] })
    await world.settle()
    expect(connection.of('submit')).toHaveLength(1)
    await expect(client.submit('q', 3, { signal: controller.signal })).rejects.toThrow('enough')
  })

  test('submissions that were given up while the broker is away are swept out, and close waits for none of them', async () => {
    const world = new FakeWorld()
    const client = createClient({ url: 'ws://broker', platform: world.platform })
    const giveUp = new AbortController()
    const kept = track(client.submit('q', 'kept'))
    const lost = [1, 2, 3].map((n) => track(client.submit('q', n, { signal: giveUp.signal })))
    giveUp.abort(new Error('enough'))
    const connection = await world.welcome()
    expect(lost.every(({ error }) => (error as Error).message === 'enough')).toBe(true)
    expect(connection.of('submit').flatMap(valuesOf)).toEqual(['kept'])
    connection.say({ type: 'submitted', ref: connection.last('submit').ref, refused: [] })
    await world.settle()
    expect(kept.done).toBe(true)
    connection.close(1006)
    await world.settle()
    const late = new AbortController()
    const given = track(client.submit('q', 'late', { signal: late.signal }))
    const closed = track(client.close())
    late.abort(new Error('too late'))
    await world.settle()
    expect([given.done, closed.done]).toEqual([true, true])
  })

  test('close waits for no refused submission that was given up before it was tried again', async () => {
    const { world, client, connection } = await online()
    const giveUp = new AbortController()
    void client.submit('q', 1, { signal: giveUp.signal }).catch(() => {})
    await world.settle()
    const error = { code: 'busy' as const, message: 'full', retryAfterMs: 60_000 }
    connection.say({ type: 'submitted', ref: connection.last('submit').ref, refused: [{ index: 0, error }] })
    await world.settle()
    const closed = track(client.close())
    await world.settle()
    expect(closed.done).toBe(false)
    giveUp.abort()
    await world.settle()
    expect(closed.done).toBe(true)
  })

  test('a retry budget keeps a client whose every submission is refused from sending everything again', async () => {
    const { world, client, connection } = await online(10_000)
    for (let i = 0; i < 3000; i++) void client.submit('q', i)
    await world.settle()
    const error = { code: 'busy' as const, message: 'full', retryAfterMs: 100 }
    const refuse = (from: number) => {
      for (const { ref, ids } of connection.of('submit').slice(from)) {
        connection.say({ type: 'submitted', ref, refused: ids.map((_, index) => ({ index, error })) })
      }
    }
    refuse(0)
    const before = connection.of('submit').length
    await world.pass(600)
    const retried = connection.of('submit').slice(before)
    expect(retried.reduce((sum, m) => sum + m.ids.length, 0)).toBeLessThanOrEqual(1050)
    expect(retried.length).toBeGreaterThan(0)
  })
})

describe('outcomes', () => {
  async function accepted(input: unknown = 1) {
    const base = await online()
    const submission = base.client.submit('q', input)
    await base.world.settle()
    const { ref } = base.connection.last('submit')
    base.connection.say({ type: 'submitted', ref, refused: [] })
    await base.world.settle()
    const handle = await submission
    return { ...base, ref, handle }
  }
  test('a result arrives before or after it is asked for', async () => {
    const { world, connection, ref, handle } = await accepted()
    const early = track(handle.result())
    connection.say(succeeded(ref, { ok: 1 }))
    await world.settle()
    expect(early.value).toEqual({ ok: 1 })
    expect(await handle.result()).toEqual({ ok: 1 })
  })

  test('an outcome that nobody had asked for is kept with the handle', async () => {
    const { world, connection, ref, handle } = await accepted()
    connection.say(succeeded(ref, [1, 2]))
    await world.settle()
    expect(await handle.result()).toEqual([1, 2])
    expect(connection.of('watch')).toHaveLength(0)
  })

  test('[MSG-16] each result of a submission finds its task by its place', async () => {
    const { world, client, connection } = await online()
    const submissions = ['a', 'é', 'c', 'd'].map((input) => client.submit('q', input))
    await world.settle()
    const { ref } = connection.last('submit')
    connection.say({ type: 'submitted', ref, refused: [] })
    await world.settle()
    const handles = await Promise.all(submissions)
    const results = handles.map((handle) => track(handle.result()))
    connection.say({ type: 'succeeded', ref, indexes: [3, 1], bodies: bodiesOf('D', 'É') })
    connection.say({ type: 'succeeded', ref, indexes: [0, 1, 9], bodies: bodiesOf('A', 'again', 'nobody') })
    connection.say({ type: 'succeeded', ref: ref + 1, indexes: [2], bodies: bodiesOf('of another submission') })
    await world.settle()
    expect(results.map(({ value }) => value)).toEqual(['A', 'É', undefined, 'D'])
    connection.say({ type: 'succeeded', ids: [handles[2]!.id], bodies: bodiesOf('by an id that nobody asked for') })
    connection.say({ type: 'ended', tasks: [{ ref, index: 2, status: 'cancelled', attempts: 0 }] })
    await world.settle()
    expect(results[2]?.error).toBeInstanceOf(TaskCancelledError)
  })

  test('the last of many tasks still hears by its place when all others are done', async () => {
    const { world, client, connection } = await online()
    const submissions = Array.from({ length: 100 }, (_, n) => client.submit('q', n))
    await world.settle()
    const { ref } = connection.last('submit')
    connection.say({ type: 'submitted', ref, refused: [] })
    await world.settle()
    const results = (await Promise.all(submissions)).map((handle) => track(handle.result()))
    const places = results.map((_, place) => place).filter((place) => place !== 40 && place !== 60)
    connection.say({ type: 'succeeded', ref, indexes: places, bodies: bodiesOf(...places) })
    connection.say({ type: 'progress', tasks: [{ ref, index: 60, progress: 1 }] })
    await world.settle()
    expect(results.filter(({ done }) => !done)).toHaveLength(2)
    connection.say({ type: 'succeeded', ref, indexes: [40, 41], bodies: bodiesOf('last but one', 'twice') })
    connection.say({ type: 'ended', tasks: [{ ref, index: 60, status: 'cancelled', attempts: 0 }] })
    await world.settle()
    expect([results[40]?.value, results[41]?.value]).toEqual(['last but one', 41])
    expect(results[60]?.error).toBeInstanceOf(TaskCancelledError)
  })

  test('bytes of another type are handed over as they are', async () => {
    const { world, connection, ref, handle } = await accepted()
    const bodies = Bodies.ofPieces([new Uint8Array([1, 2])], [2])
    connection.say({ type: 'succeeded', ref, indexes: [0], contentType: 'image/png', bodies })
    await world.settle()
    expect(await handle.result()).toEqual(new Uint8Array([1, 2]))
  })

  test('an outcome may overtake the answer to its submission, and says that it was accepted', async () => {
    const { world, client, connection } = await online(1)
    const submission = track(client.submit('q', 1))
    const next = track(client.submit('q', 2))
    await world.settle()
    const { ref } = connection.last('submit')
    connection.say(succeeded(ref, 'fast'))
    await world.settle()
    expect(await submission.value?.result()).toBe('fast')
    // Only the answer gives the credit back.
    expect(connection.of('submit')).toHaveLength(1)
    connection.say({ type: 'submitted', ref, refused: [] })
    await world.settle()
    expect(connection.of('submit')).toHaveLength(2)
    expect(next.done).toBe(false)
  })

  test.each(['by its new place', 'by its id'])('what was sent twice is told %s', async (how) => {
    const { world, client, connection } = await online()
    const submission = track(client.submit('q', 1))
    await world.settle()
    const first = connection.last('submit')
    connection.close(1006)
    await world.pass(500)
    const next = await world.welcome({ resumed: true })
    const { ref, ids } = next.last('submit')
    expect([ref === first.ref, ids]).toEqual([false, first.ids])
    next.say(succeeded(how === 'by its id' ? ids[0]! : ref, 'done'), { type: 'submitted', ref, refused: [] })
    await world.settle()
    expect(await submission.value?.result()).toBe('done')
    next.say(succeeded(how === 'by its id' ? ref : ids[0]!, 'told again'))
    await world.settle()
    expect(await submission.value?.result()).toBe('done')
    // Nothing is remembered of it: neither place nor id is asked for after the next reconnect.
    next.close(1006)
    await world.pass(1000)
    const last = await world.welcome({ resumed: true })
    expect([...last.of('submit'), ...last.of('watch')]).toEqual([])
  })

  test('a handle made from the id of a task that was submitted here hears of it as well', async () => {
    const { world, client, connection, ref, handle } = await accepted()
    const [own, other] = [track(handle.result()), track(client.handle(handle.id).result())]
    await world.settle()
    expect(connection.last('watch').ids).toEqual([handle.id])
    connection.say(succeeded(ref, 7), succeeded(handle.id, 7))
    await world.settle()
    expect([own.value, other.value]).toEqual([7, 7])
  })

  test('a submission that is not watched is asked for when its result is wanted', async () => {
    const { world, client, connection } = await online()
    const submission = client.submit('q', 1, { watch: false })
    await world.settle()
    const { ref, watch } = connection.last('submit')
    expect(watch).toBe(false)
    connection.say({ type: 'submitted', ref, refused: [] })
    await world.settle()
    const handle = await submission
    const result = track(handle.result())
    await world.settle()
    expect(connection.last('watch').ids).toEqual([handle.id])
    connection.say(succeeded(handle.id, 'late'))
    await world.settle()
    expect(result.value).toBe('late')
  })

  test('dead and cancelled tasks reject with an error that says why', async () => {
    const { world, connection, ref, handle } = await accepted()
    const error = { message: 'broken photo', name: 'PhotoError' }
    connection.say({
      type: 'ended',
      tasks: [{ ref, index: 0, status: 'dead', attempts: 3, reason: 'attempts_exhausted', error }],
    })
    await world.settle()
    const dead = await handle.result().catch((e) => e)
    expect(dead).toBeInstanceOf(TaskDeadError)
    expect(dead).toMatchObject({ reason: 'attempts_exhausted', error, attempts: 3, id: handle.id })

    const other = await accepted()
    const cancelled = { ref: other.ref, index: 0, status: 'cancelled' as const, attempts: 0 }
    other.connection.say({ type: 'ended', tasks: [cancelled] })
    await other.world.settle()
    await expect(other.handle.result()).rejects.toBeInstanceOf(TaskCancelledError)
  })

  test('after a broker restart every open task is watched again, and unknown ones reject', async () => {
    const { world, client, connection, handle } = await accepted()
    const other = client.submit('q', 2)
    await world.settle()
    connection.say({ type: 'submitted', ref: connection.last('submit').ref, refused: [] })
    await world.settle()
    const [kept, gone] = [track(handle.result()), track((await other).result())]
    connection.close(1006)
    await world.pass(500)
    const next = await world.welcome({ session: 's2', resumed: false })
    const watch = next.last('watch')
    expect(watch.ids).toEqual([handle.id, (await other).id])
    next.say({ type: 'watched', ref: watch.ref, unknown: [1] }, succeeded(handle.id, 'late'))
    await world.settle()
    expect(kept.value).toBe('late')
    expect(gone.error).toMatchObject({ code: 'unknown_task' })
  })

  test('a watch that finds too many watchers rejects the result of that task, and of no other', async () => {
    const { world, client, connection } = await online()
    const ids = [1, 2].map((n) => `01900000-0000-7000-8000-00000000000${n}`)
    const [full, free] = ids.map((id) => track(client.handle(id).result()))
    await world.settle()
    const { ref } = connection.last('watch')
    connection.say(
      { type: 'error', ref, code: 'busy', message: 'full', field: 'ids[0]', retryAfterMs: 30_000 },
      { type: 'watched', ref, unknown: [] },
      succeeded(ids[1] as string, 7),
    )
    await world.settle()
    expect(full?.error).toMatchObject({ code: 'busy' })
    expect(free?.value).toBe(7)
  })

  test('a handle made from an id asks the broker; two of the same task share the answer', async () => {
    const { world, client, connection } = await online()
    const id = '01900000-0000-7000-8000-000000000001'
    const [one, two] = [track(client.handle(id).result()), track(client.handle(id).result())]
    await world.settle()
    expect(connection.of('watch').flatMap((m) => m.ids)).toEqual([id])
    connection.say(succeeded(id, 7))
    await world.settle()
    expect([one.value, two.value]).toEqual([7, 7])
  })

  test('whoever asks for a task while it is submitted again hears of it though that submission is refused', async () => {
    const { world, client, connection } = await online()
    const id = '01900000-0000-7000-8000-000000000001'
    const again = track(client.submit('q', 1, { id, onBusy: 'throw' }))
    await world.settle()
    const result = track(client.handle(id).result())
    await world.settle()
    const { ref } = connection.last('submit')
    connection.say({ type: 'submitted', ref, refused: [{ index: 0, error: { code: 'busy', message: 'full' } }] })
    await world.settle()
    expect(again.error).toMatchObject({ code: 'busy' })
    const watch = connection.last('watch')
    expect(watch.ids).toEqual([id])
    connection.say({ type: 'watched', ref: watch.ref, unknown: [0] })
    await world.settle()
    expect(result.error).toMatchObject({ code: 'unknown_task' })
  })

  test('whoever asks for a task that the broker does not hold spoils no submission of it', async () => {
    const { world, client, connection } = await online()
    const id = '01900000-0000-7000-8000-000000000001'
    const result = track(client.handle(id).result())
    await world.settle()
    const submission = track(client.submit('q', 1, { id }).then((handle) => handle.result()))
    await world.settle()
    connection.say({ type: 'watched', ref: connection.last('watch').ref, unknown: [0] })
    await world.settle()
    expect(result.error).toMatchObject({ code: 'unknown_task' })
    const { ref } = connection.last('submit')
    connection.say({ type: 'submitted', ref, refused: [] }, succeeded(ref, 7))
    await world.settle()
    expect(submission.value).toBe(7)
  })

  test('whoever asks for a task whose submission is given up before it is sent again hears of it', async () => {
    const { world, client, connection } = await online()
    const id = '01900000-0000-7000-8000-000000000001'
    const giveUp = new AbortController()
    const submission = track(client.submit('q', 1, { id, signal: giveUp.signal }))
    await world.settle()
    const result = track(client.handle(id).result())
    connection.close(1006)
    await world.settle()
    giveUp.abort(new Error('enough'))
    await world.pass(500)
    const next = await world.welcome({ resumed: true })
    expect(submission.error).toMatchObject({ message: 'enough' })
    expect(next.of('submit')).toEqual([])
    expect(next.last('watch').ids).toEqual([id])
    next.say(succeeded(id, 7))
    await world.settle()
    expect(result.value).toBe(7)
  })

  test('a task that is let go is watched still where another handle of it is waited for', async () => {
    const world = new FakeWorld()
    const client = createClient({ url: 'ws://broker', platform: world.platform, watchedMax: 1 })
    const connection = await world.welcome()
    void client.submit('q', 1)
    await world.settle()
    const { ref, ids } = connection.last('submit')
    const id = ids[0] as string
    connection.say({ type: 'submitted', ref, refused: [] })
    await world.settle()
    const result = track(client.handle(id).result())
    await world.settle()
    expect(connection.of('unwatch')).toEqual([])
    connection.say(succeeded(id, 7))
    await world.settle()
    expect(result.value).toBe(7)
  })

  test('where frames are small, many tasks are watched and let go in several messages', async () => {
    const world = new FakeWorld({ frameBytesMax: 8192, bodyBytesMax: 4096 })
    const client = createClient({ url: 'ws://broker', platform: world.platform, watchedMax: 1 })
    const connection = await world.welcome({ submitCredit: 2000 })
    for (let n = 0; n < 900; n++) void client.submit('q', n)
    await world.settle()
    for (const { ref } of connection.of('submit')) connection.say({ type: 'submitted', ref, refused: [] })
    await world.settle()
    const ids = Array.from({ length: 900 }, (_, n) => `01900000-0000-7000-8000-${String(n).padStart(12, '0')}`)
    for (const id of ids)
      client
        .handle(id)
        .result()
        .catch(() => {})
    await world.settle()
    expect(connection.of('watch').flatMap((m) => m.ids)).toEqual(ids)
    const letGo = connection.of('unwatch').flatMap((m) => m.ids)
    expect(letGo).toHaveLength(900)
    expect(new Set(letGo)).toEqual(new Set(connection.of('submit').flatMap((m) => m.ids)))
  })

  test('past the bound the oldest watch is let go, and asked for again when its result is wanted', async () => {
    const world = new FakeWorld()
    const client = createClient({ url: 'ws://broker', platform: world.platform, watchedMax: 2 })
    const connection = await world.welcome()
    const handles = []
    for (let n = 0; n < 3; n++) {
      const submission = client.submit('q', n)
      await world.settle()
      connection.say({ type: 'submitted', ref: connection.last('submit').ref, refused: [] })
      await world.settle()
      handles.push(await submission)
    }
    expect(connection.of('unwatch').flatMap((m) => m.ids)).toEqual([handles[0]?.id])
    void handles[0]?.result()
    await world.settle()
    expect(connection.last('watch').ids).toEqual([handles[0]?.id])
  })

  test('a task whose progress nobody reads any more may be let go', async () => {
    const world = new FakeWorld()
    const client = createClient({ url: 'ws://broker', platform: world.platform, watchedMax: 1 })
    const connection = await world.welcome()
    const ids: string[] = []
    for (let n = 0; n < 2; n++) {
      const submission = track(client.submit('q', n))
      await world.settle()
      connection.say({ type: 'submitted', ref: connection.last('submit').ref, refused: [] })
      await world.settle()
      ids.push(submission.value!.id)
      const iterator = submission.value![Symbol.asyncIterator]()
      void iterator.next()
      await iterator.return!()
    }
    void client.submit('q', 'one more')
    await world.settle()
    expect(connection.of('unwatch').flatMap((m) => m.ids)).toEqual(ids)
  })

  test('a signal ends the wait for progress and for a status, and is not listened to any longer', async () => {
    const { world, client, connection, ref, handle } = await accepted()
    const giveUp = new AbortController()
    let listeners = 0
    const { signal } = giveUp
    const { addEventListener, removeEventListener } = signal
    signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
      listeners += 1
      addEventListener.apply(signal, args)
    }
    signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
      listeners -= 1
      removeEventListener.apply(signal, args)
    }
    const status = track(handle.status({ signal }))
    await world.settle()
    const tasks = [{ id: handle.id, state: 'ready' as const }]
    connection.say({ type: 'status', ref: connection.last('query').ref, tasks })
    await world.settle()
    expect([status.value, listeners]).toEqual([tasks[0], 0])

    const reader = handle.progress({ signal })[Symbol.asyncIterator]()
    const [first, second] = [track(reader.next()), track(reader.next())]
    connection.say({ type: 'progress', tasks: [{ ref, index: 0, progress: 1 }] })
    await world.settle()
    expect(first.value).toEqual({ done: false, value: 1 })
    giveUp.abort(new Error('enough'))
    await world.settle()
    expect(second.error).toMatchObject({ message: 'enough' })
    await expect(reader.next()).rejects.toThrow('enough')
    const asked = connection.of('query').length
    await expect(client.handle(handle.id).status({ signal })).rejects.toThrow('enough')
    await world.settle()
    expect(connection.of('query')).toHaveLength(asked)
  })

  test('progress keeps the newest for a slow reader and ends with the task', async () => {
    const { world, connection, ref, handle } = await accepted()
    const iterator = handle[Symbol.asyncIterator]()
    for (let n = 0; n < 40; n++) connection.say({ type: 'progress', tasks: [{ ref, index: 0, progress: n }] })
    await world.settle()
    expect(await iterator.next()).toEqual({ done: false, value: 24 })
    connection.say(succeeded(ref, 1))
    await world.settle()
    const rest: unknown[] = []
    for (let step = await iterator.next(); !step.done; step = await iterator.next()) rest.push(step.value)
    expect(rest.at(-1)).toBe(39)
    const after: unknown[] = []
    for await (const value of handle.progress()) after.push(value)
    expect(after).toEqual([])
  })

  test('status and cancel are asked again after a reconnect, and refusals carry their code', async () => {
    const { world, connection, handle } = await accepted()
    const [status, cancel] = [track(handle.status()), track(handle.cancel())]
    await world.settle()
    expect(connection.last('query').ids).toEqual([handle.id])
    connection.close(1006)
    await world.pass(500)
    const next = await world.welcome({ resumed: true })
    next.say({ type: 'status', ref: next.last('query').ref, tasks: [{ id: handle.id, state: 'ready' }] })
    const error = { code: 'task_finished' as const, message: 'too late' }
    next.say({ type: 'cancelled', ref: next.last('cancel').ref, refused: [{ index: 0, error }] })
    await world.settle()
    expect(status.value?.state).toBe('ready')
    expect(cancel.error).toMatchObject({ code: 'task_finished' })
  })

  test('a result that does not fit the contract rejects', async () => {
    const { world, client, connection } = await online()
    const output = {
      '~standard': {
        version: 1 as const,
        vendor: 'test',
        validate: (value: unknown) =>
          typeof value === 'number' ? { value } : { issues: [{ message: 'no number', path: ['size'] }] },
      },
    }
    const submission = client.submit(defineTask({ queue: 'q', output }), 1)
    await world.settle()
    const { ref } = connection.last('submit')
    connection.say({ type: 'submitted', ref, refused: [] }, succeeded(ref, 'text'))
    await world.settle()
    await expect((await submission).result()).rejects.toThrow('the result is invalid: size: no number')
  })
})

describe('leaving', () => {
  test('close waits for the unanswered, says bye, and rejects what is still open', async () => {
    const { world, client, connection } = await online()
    const submission = track(client.submit('q', 1))
    await world.settle()
    const closing = track(client.close())
    await world.settle()
    expect(closing.done).toBe(false)
    await expect(client.submit('q', 2)).rejects.toBeInstanceOf(ClosedError)
    connection.say({ type: 'submitted', ref: connection.last('submit').ref, refused: [] })
    await world.settle()
    expect(closing.done).toBe(true)
    expect(connection.received.at(-1)).toEqual({ type: 'bye' })
    expect(connection.closedBy?.code).toBe(1000)
    await expect(submission.value?.result()).rejects.toBeInstanceOf(ClosedError)
    expect(world.clock.pending).toBe(0)
  })

  test('close gives up after drainMs', async () => {
    const { world, client } = await online()
    const submission = track(client.submit('q', 1))
    await world.settle()
    const closing = track(client.close({ drainMs: 300 }))
    await world.pass(299)
    expect(closing.done).toBe(false)
    await world.pass(1)
    expect(closing.done).toBe(true)
    expect(submission.error).toBeInstanceOf(ClosedError)
  })

  test('a broker that drains is sent nothing new and is reconnected to when it wishes', async () => {
    const { world, client, connection } = await online()
    connection.say({ type: 'drain', retryAfterMs: 3000 })
    await world.settle()
    const submission = track(client.submit('q', 1))
    await world.pass(2999)
    expect(connection.of('submit')).toHaveLength(0)
    expect(world.connections).toHaveLength(1)
    await world.pass(300)
    expect(world.connections).toHaveLength(2)
    const next = await world.welcome({ resumed: true })
    next.say({ type: 'submitted', ref: next.last('submit').ref, refused: [] })
    await world.settle()
    expect(submission.value?.queue).toBe('q')
  })

  test('a broker that refuses for good rejects everything with its reason', async () => {
    const world = new FakeWorld()
    const client = createClient({ url: 'ws://broker', platform: world.platform, token: 'wrong' })
    const submission = track(client.submit('q', 1))
    world.connection.open()
    await world.settle()
    expect(world.connection.last('hello').token).toBe('wrong')
    world.connection.say({ type: 'error', code: 'unauthorized', message: 'no such token' })
    world.connection.close(4001)
    await world.settle()
    expect(submission.error).toMatchObject({ code: 'unauthorized', message: 'no such token' })
    expect(client.state).toBe('failed')
    await expect(client.submit('q', 2)).rejects.toMatchObject({ code: 'unauthorized' })
  })
})
