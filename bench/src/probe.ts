import { createClient } from '@sluice/client'
import { createOutboxClient, memoryStore } from '@sluice/client/outbox'
import { startBroker } from './broker.ts'
import { Processes } from './child.ts'
import { Scratch } from './machine.ts'

const scratch = new Scratch()
const processes = new Processes()
const { url } = await startBroker(processes, { durability: 'strict', path: scratch.file('j.db') })
const N = 5000
for (let r = 0; r < 4; r++) {
  const c = createClient({ url })
  await c.submit('trial', 'warm')
  let t = performance.now()
  await Promise.all(Array.from({ length: N }, (_, n) => c.submit('trial', { n })))
  const node = performance.now() - t
  await c.close()
  const store = { ...memoryStore(), isDurable: true }
  const off = createOutboxClient({
    url: 'ws://127.0.0.1:9',
    owner: 'a',
    store: { ...store, close() {} },
    logger: { debug() {}, info() {}, warn() {}, error() {} },
  })
  const t0 = performance.now()
  await Promise.all(Array.from({ length: N }, (_, n) => off.submit('trial', { n })))
  const save = performance.now() - t0
  await off.close()
  const o = createOutboxClient({ url, owner: 'a', store: { ...store, close() {} } })
  t = performance.now()
  for (;;) {
    const { saved, sending } = await o.counts()
    if (saved + sending === 0) break
    await new Promise((f) => setTimeout(f, 2))
  }
  const drain = performance.now() - t
  console.log({ node, save, drain })
  await o.close()
}
process.exit(0)
