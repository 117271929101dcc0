import { type Broker, createBroker } from '@sluice/broker'
import { createWorker } from '@sluice/worker-node'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { waitNote } from '../src/wait-notes.ts'
import { Sandbox } from './processes.ts'

const sandbox = new Sandbox()
let broker: Broker
beforeAll(async () => {
  broker = await createBroker({ journal: { kind: 'memory' }, port: 0, engine: { queueTasksMax: 2 } })
})
afterAll(async () => {
  await broker.close()
  await sandbox.end()
})

const start = (args: string[]) => sandbox.start(args, { SLUICE_URL: broker.url })
const says = (running: ReturnType<typeof start>, text: string) =>
  expect.poll(() => running.err, { timeout: 20_000 }).toContain(text)

test('submit --wait and status --wait say that no worker takes the queue, and go on when one does', async () => {
  const submit = start(['submit', 'idle', '1', '--wait', '--id', '01890a5d-ac96-774b-bcce-b302099a8057'])
  const note = 'Waiting, but no worker takes idle. Start one: sluice worker ./tasks.ts\n'
  await says(submit, note)
  const status = start(['status', '01890a5d-ac96-774b-bcce-b302099a8057', '--wait'])
  await says(status, note)
  const worker = createWorker({ url: broker.url, handlers: { idle: (n: number) => n + 1 } })
  worker.start()
  expect(await submit.ended).toEqual({ code: 0, out: '2\n', err: note })
  expect(await status.ended).toMatchObject({ code: 0, out: expect.stringMatching(/^result +2$/m), err: note })
  await worker.close()
})

test('submit says that the queue is full, and goes on when there is room', async () => {
  const submit = start(['submit', 'full'])
  submit.child.stdin?.end('1\n2\n3\n')
  await says(submit, 'Queue full is full (2 tasks): waiting for room. But no worker takes full. Start one: ')
  await fetch(`${broker.httpUrl}/v1/queues/purge`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"queue":"full"}',
  })
  const { code, out } = await submit.ended
  expect(out.trim().split('\n')).toHaveLength(3)
  expect(code).toBe(0)
})

test('nothing is said where work goes on, or waits for its time', () => {
  const queue = { name: 'q', ready: 5, delayed: 0, leased: 0, bytes: 10, tasksMax: 9, bytesMax: 1000, workers: 1 }
  const awaited = { queue: 'q', unaccepted: 0, unfinished: 3 }
  expect(waitNote(awaited, [queue])).toBeUndefined()
  expect(waitNote(awaited, [{ ...queue, ready: 0, delayed: 3, workers: 0 }])).toBeUndefined()
  expect(waitNote({ ...awaited, unfinished: 0 }, [{ ...queue, workers: 0 }])).toBeUndefined()
  expect(waitNote(awaited, [{ ...queue, name: 'r', workers: 0 }])).toBeUndefined()
  expect(waitNote({ ...awaited, unaccepted: 1 }, [{ ...queue, bytes: 999 }])).toBe(
    'Queue q is full (999 bytes): waiting for room.',
  )
})
