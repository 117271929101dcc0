import { defineTask, handle, LeaseLostError, PermanentError, type TaskContext, ValidationError } from '@sluice/client'
import { expect, test } from 'vitest'
import { runTask } from '../src/index.ts'

test('the result is what the submitter gets, through JSON', async () => {
  const { result } = runTask(({ at }: { at: string }) => ({ at, missing: undefined }), { at: new Date(0) })
  expect(await result).toEqual({ at: '1970-01-01T00:00:00.000Z' })
})

test('bytes go in and come out as bytes', async () => {
  const { result } = runTask((bytes: Uint8Array) => bytes.map((byte) => byte + 1), new Uint8Array([1, 2]))
  expect(await result).toEqual(new Uint8Array([2, 3]))
})

test('attempt, progress and log lines are there to look at, after a failure too', async () => {
  const attempt = runTask(
    (_: null, ctx: TaskContext) => {
      ctx.log.warn({ attempt: ctx.attempt }, 'about to fail')
      ctx.progress(0.5)
      throw new PermanentError(`${ctx.queue} ${ctx.id}`)
    },
    null,
    { attempt: 3, queue: 'mail', id: 'a' },
  )
  await expect(attempt.result).rejects.toThrow('mail a')
  expect(attempt.progress).toEqual([0.5])
  expect(attempt.logs).toEqual([{ level: 'warn', fields: { attempt: 3 }, message: 'about to fail' }])
})

test('a handler sees its signal fire', async () => {
  const attempt = runTask(
    (_: null, { signal }: TaskContext) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason))
      }),
    null,
  )
  attempt.abort()
  await expect(attempt.result).rejects.toThrow(LeaseLostError)
})

test('a contract names the queue and checks what goes in and what comes out', async () => {
  const text = {
    '~standard': {
      version: 1 as const,
      vendor: 'test',
      validate: (value: unknown) =>
        typeof value === 'string' ? { value } : { issues: [{ message: 'it is no text' }] },
    },
  }
  const shout = handle(defineTask<string, string>({ queue: 'shout', input: text, output: text }), (words, ctx) =>
    words === 'nothing' ? (null as never) : `${ctx.queue}: ${words.toUpperCase()}`,
  )
  expect(await runTask(shout, 'hello').result).toBe('shout: HELLO')
  await expect(runTask(shout, 5).result).rejects.toThrow(ValidationError)
  await expect(runTask(shout, 'nothing').result).rejects.toThrow('the output')
})
