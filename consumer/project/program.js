// A broker with a file, a worker with threads and a client, from the packages as they are published.
import { strictEqual } from 'node:assert'
import { createBroker } from '@sluice/broker'
import { createClient, defineTask } from '@sluice/client'
import { createWorker, loadHandlers, nodePlatform } from '@sluice/worker-node'

const greet = defineTask({ queue: 'consumer.greet' })
const broker = await createBroker({ journal: { kind: 'sqlite', path: process.argv[2] }, port: 0 })
const worker = createWorker({
  url: broker.url,
  handlers: await loadHandlers('handlers.js'),
  threads: { module: 'handlers.js', size: 2 },
})
await worker.start()
const client = createClient({ url: broker.url, platform: nodePlatform })
const handles = await client.submitMany(greet, [{ name: 'Ada' }, { name: 'Grace' }])
const results = await Promise.all(handles.map((handle) => handle.result()))
await client.close()
await worker.drain()
await broker.close()
strictEqual(results.join(), 'hello Ada,hello Grace')
console.log(`Node ${process.version} ran it`)
