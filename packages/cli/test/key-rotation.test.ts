import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createBroker } from '@sluice/broker'
import { createClient } from '@sluice/client'
import { createWorker, nodePlatform } from '@sluice/worker-node'
import { expect, test, vi } from 'vitest'

/** Short, so that tokens are renewed all the time: a client is told at half of it. */
const TOKEN_S = 6
const AT_ONCE = 20
const PATIENCE = { timeout: 60_000, interval: 50 }

interface Key {
  kid: string
  privateKey: KeyObject
  jwk: object
}

function newKey(kid: string): Key {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  return { kid, privateKey, jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg: 'EdDSA', use: 'sig' } }
}

function tokenOf({ kid, privateKey }: Key, sub: string): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const iat = Math.floor(Date.now() / 1000)
  const content = `${part({ alg: 'EdDSA', kid })}.${part({ sub, scope: 'submit work read', iat, exp: iat + TOKEN_S })}`
  return `${content}.${sign(null, Buffer.from(content), privateKey).toString('base64url')}`
}

test('[ACCESS-5] keys are rotated under load, and no connection and no task is lost', {
  timeout: 180_000,
}, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-keys-'))
  const keysFile = join(directory, 'keys.json')
  const publish = (...keys: Key[]): void => {
    writeFileSync(`${keysFile}.new`, JSON.stringify({ keys: keys.map(({ jwk }) => jwk) }))
    renameSync(`${keysFile}.new`, keysFile)
  }
  const [old, fresh] = [newKey('old'), newKey('fresh')]
  publish(old)
  const broker = await createBroker({ journal: { kind: 'memory' }, port: 0, access: { keysFile } })
  const isTaken = async (key: Key): Promise<boolean> => {
    const headers = { authorization: `Bearer ${tokenOf(key, 'operator')}` }
    return (await fetch(`${broker.httpUrl}/v1/queues`, { headers })).status === 200
  }
  const sessions = async (): Promise<string> => {
    const headers = { authorization: `Bearer ${tokenOf(signing, 'operator')}` }
    const { workers } = (await (await fetch(`${broker.httpUrl}/v1/workers`, { headers })).json()) as {
      workers: { id: string }[]
    }
    return JSON.stringify(workers.map(({ id }) => id))
  }

  let signing = old
  /** Tokens that were asked for since the last change, by whom. */
  const asked = { client: 0, worker: 0 }
  const token = (who: 'client' | 'worker') => () => {
    asked[who] += 1
    return tokenOf(signing, who)
  }
  /** Waits until both have asked for a new token twice: the first of them is in force by then. */
  const renewed = async (): Promise<void> => {
    Object.assign(asked, { client: 0, worker: 0 })
    await vi.waitFor(() => expect(Math.min(asked.client, asked.worker)).toBeGreaterThanOrEqual(2), PATIENCE)
  }
  const warnings: string[] = []
  const warn = (_: object, message: string): void => {
    warnings.push(message)
  }
  const logger = { debug: () => {}, info: () => {}, warn, error: warn }
  const handlers = { double: (n: number) => n * 2 }
  const worker = createWorker({ url: broker.url, token: token('worker'), handlers, logger })
  worker.start()
  const client = createClient({ url: broker.url, platform: nodePlatform, token: token('client'), logger })
  const states: string[] = []
  client.onStateChange((state) => states.push(state))
  expect(await (await client.submit('double', 21)).result()).toBe(42)
  const connected = states.length
  const before = await sessions()

  let isOver = false
  let done = 0
  const load = Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (!isOver) {
        const n = done
        done += 1
        expect(await (await client.submit('double', n)).result()).toBe(n * 2)
      }
    }),
  )
  const rotated = (async () => {
    await renewed()
    publish(old, fresh)
    await vi.waitFor(async () => expect(await isTaken(fresh)).toBe(true), PATIENCE)
    expect(await isTaken(old)).toBe(true)
    signing = fresh
    await renewed()
    publish(fresh)
    await vi.waitFor(async () => expect(await isTaken(old)).toBe(false), PATIENCE)
    await renewed()
  })().finally(() => {
    isOver = true
  })
  await Promise.all([load, rotated])

  expect(done).toBeGreaterThan(AT_ONCE)
  expect(states.slice(connected)).toEqual([])
  expect(warnings).toEqual([])
  expect(await sessions()).toBe(before)
  await client.close()
  await worker.drain()
  await broker.close()
  rmSync(directory, { recursive: true })
})
