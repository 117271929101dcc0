// What a program in TypeScript writes, under the strictest settings.
import { type Broker, type BrokerConfig, createBroker } from '@sluice/broker'
import { loadConfig } from '@sluice/broker/config'
import { type BrokerCore, createBrokerCore } from '@sluice/broker/core'
import { type Client, createClient, defineTask, type Handler, handle, type TaskHandle } from '@sluice/client'
import { decide } from '@sluice/engine'
import { VERSIONS } from '@sluice/protocol'
import { uuidv7Source } from '@sluice/protocol/uuidv7'
import { type Attempt, createTestBroker, runTask } from '@sluice/testing'
import { createWorker, nodePlatform, type WorkerOptions } from '@sluice/worker-node'
import { EXIT } from 'sluice'

const greet = defineTask<{ name: string }, string>({ queue: 'greet' })
const shout: Handler<{ text: string }, string> = async ({ text }, ctx) => {
  ctx.log.info({ attempt: ctx.attempt }, 'shouting')
  ctx.signal.throwIfAborted()
  return text.toUpperCase()
}

export async function main(config: BrokerConfig, options: Partial<WorkerOptions>): Promise<string> {
  const broker: Broker = await createBroker(config)
  const worker = createWorker({
    ...options,
    url: broker.url,
    handlers: { greet: handle(greet, ({ name }) => `hello ${name}`), shout },
  })
  await worker.start()
  const client: Client = createClient({ url: broker.url, platform: nodePlatform })
  const task: TaskHandle<string> = await client.submit(greet, { name: 'Ada' }, { delayMs: 10 })
  // @ts-expect-error the contract says what the input is
  await client.submit(greet, { nome: 'Ada' })
  return await task.result()
}

export async function tests(): Promise<void> {
  const broker = await createTestBroker({ engine: { queueTasksMax: 10 } })
  broker.worker({ handlers: { shout } })
  await broker.client().submit('shout', { text: 'hello' }, { delayMs: 1000 })
  await broker.advance(1000)
  await broker.close()
  const attempt: Attempt<string> = runTask(shout, { text: 'hello' }, { attempt: 2 })
  const text: string = await attempt.result
  if (text !== 'HELLO') throw new Error(text)
}

export type Core = BrokerCore
export { createBrokerCore, decide, EXIT, loadConfig, uuidv7Source, VERSIONS }
