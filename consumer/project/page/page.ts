// A page that submits a task and works on it.
import { createClient, createWorker, defineTask, handle } from '@sluice/client'

const double = defineTask<{ n: number }, number>({ queue: 'page.double' })
const url = new URLSearchParams(location.search).get('broker')!

const worker = createWorker({ url, handlers: { 'page.double': handle(double, ({ n }) => 2 * n) } })
await worker.start()
const client = createClient({ url })
const task = await client.submit(double, { n: 21 })
document.querySelector('output')!.textContent = `the result is ${await task.result()}`
