// The same by `require`, with handlers in the process.
const { strictEqual } = require('node:assert')
const { createBroker } = require('@sluice/broker')
const { loadConfig } = require('@sluice/broker/config')
const { createBrokerCore } = require('@sluice/broker/core')
const { createClient } = require('@sluice/client')
const { createWorker, nodePlatform } = require('@sluice/worker-node')
const { runTask } = require('@sluice/testing')
const { uuidv7Source } = require('@sluice/protocol/uuidv7')

for (const [name, value] of Object.entries({ loadConfig, createBrokerCore, runTask, uuidv7Source }))
  strictEqual(typeof value, 'function', name)

async function main() {
  const broker = await createBroker({ journal: { kind: 'sqlite', path: process.argv[2] }, port: 0 })
  const worker = createWorker({ url: broker.url, handlers: { double: ({ n }) => 2 * n } })
  await worker.start()
  const client = createClient({ url: broker.url, platform: nodePlatform })
  const handle = await client.submit('double', { n: 21 })
  strictEqual(await handle.result(), 42)
  await client.close()
  await worker.drain()
  await broker.close()
  console.log(`Node ${process.version} ran it`)
}

main()
