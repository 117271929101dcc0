import { createClient, createWorker, defineTask, SluiceError, TaskDeadError } from '@sluice/client'
import { expect, inject, onTestFinished, test } from 'vitest'

const { url, restartUrl } = inject('brokerOfTabs')

function client() {
  const client = createClient({ url, name: 'a tab' })
  onTestFinished(() => client.close())
  return client
}

function worker(options: Omit<Parameters<typeof createWorker>[0], 'url'>) {
  const worker = createWorker({ url, name: 'a lent tab', ...options })
  worker.start()
  onTestFinished(() => worker.close())
  return worker
}

test('a tab submits and another tab works: results, progress, dead letters and refusals arrive', async () => {
  const square = defineTask<number, number>({ queue: 'square' })
  worker({
    concurrency: 20,
    handlers: {
      square: async (input, { progress }) => {
        if (input === 13) throw new Error('unlucky')
        progress(input)
        return (input as number) ** 2
      },
    },
  })
  const tab = client()
  const inputs = Array.from({ length: 500 }, (_, n) => n + 100)
  const handles = await tab.submitMany(square, inputs)
  expect(await Promise.all(handles.map((handle) => handle.result()))).toEqual(inputs.map((n) => n ** 2))

  const dead = await tab.submit(square, 13, { retry: { kind: 'none' } })
  await expect(dead.result()).rejects.toBeInstanceOf(TaskDeadError)
  expect(await dead.status()).toMatchObject({ state: 'dead', queue: 'square' })
  const refused = tab.submit(square, 1, { id: handles[0]!.id })
  await expect(refused).rejects.toMatchObject({ code: 'id_conflict' })
  await expect(refused).rejects.toBeInstanceOf(SluiceError)
})

test('what a tab has submitted survives a restart of the broker, and its promises are kept', async () => {
  const tab = client()
  const handles = await tab.submitMany('later', ['one', 'two', 'three'])
  const results = Promise.all(handles.map((handle) => handle.result()))
  expect((await fetch(restartUrl, { method: 'POST' })).status).toBe(204)
  worker({ concurrency: 1, handlers: { later: (input) => `${input} done` } })
  expect(await results).toEqual(['one done', 'two done', 'three done'])
})
