import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createBroker } from '@sluice/broker'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    /** Where tests in a browser find their broker, and where a POST restarts it on the same file and port. */
    brokerOfTabs: { url: string; restartUrl: string }
  }
}

/** Before the tests in the browser: a broker with a file, which they can restart. */
export default async function provideBroker(project: TestProject): Promise<() => Promise<void>> {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-tabs-'))
  const start = (port: number) =>
    createBroker({ journal: { kind: 'sqlite', path: join(directory, 'broker.db'), durability: 'strict' }, port })
  let broker = await start(0)
  const control = createServer(async (_, response) => {
    await broker.close()
    broker = await start(broker.port)
    response.writeHead(204, { 'access-control-allow-origin': '*' }).end()
  })
  control.listen(0, '127.0.0.1')
  await once(control, 'listening')
  const { port } = control.address() as AddressInfo
  project.provide('brokerOfTabs', { url: broker.url, restartUrl: `http://127.0.0.1:${port}/` })
  return async () => {
    control.close()
    await broker.close()
    rmSync(directory, { recursive: true, force: true })
  }
}
