import { createBroker, signToken } from '@sluice/broker'
import { createClient, createWorker } from '@sluice/client'
import { createNodePlatform } from '@sluice/worker-node'
import { afterEach, expect, test } from 'vitest'

/** Clients and workers against a broker that asks for tokens. */

const SECRET = 'a secret of thirty-two bytes or so, or more'
const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function started() {
  const broker = await createBroker({ journal: { kind: 'memory' }, port: 0, access: { secret: SECRET } })
  closing.push(() => broker.close())
  return broker
}

/** Tokens that are good for three seconds. */
function tokens(sub: string, scope: string) {
  const given: string[] = []
  const token = async () => {
    const fresh = await signToken(SECRET, { sub, scope }, 3000)
    given.push(fresh)
    return fresh
  }
  return { given, token }
}

const platform = createNodePlatform()

test('a client and a worker outlive their tokens on one connection, and lose nothing', async () => {
  const { url } = await started()
  const [producing, working] = [tokens('ada', 'submit:echo'), tokens('eve', 'work:echo')]
  const states: string[] = []
  const client = createClient({ url, platform, token: producing.token })
  closing.push(() => client.close())
  const worker = createWorker({ url, platform, token: working.token, handlers: { echo: async (input) => input } })
  closing.push(() => worker.drain({ graceMs: 0 }))
  await worker.start()
  client.onStateChange((state) => states.push(state))
  // Until each has renewed its token twice.
  for (let i = 0; producing.given.length < 3 || working.given.length < 3; i += 1) {
    const handle = await client.submit('echo', i)
    expect(await handle.result()).toBe(i)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }

  expect(states.filter((state) => state === 'backingOff')).toEqual([])
})

test('a client whose token is refused says so, and does not try for ever', async () => {
  const { url } = await started()
  for (const token of [undefined, 'no token', await signToken(`${SECRET}!`, { sub: 'ada', scope: '' }, 1000)]) {
    const client = createClient({ url, platform, logger: silent, ...(token === undefined ? {} : { token }) })
    await expect(client.submit('echo', 1)).rejects.toMatchObject({ code: 'unauthorized' })
    await client.close()
  }
})

test('what a token does not allow is refused to the one who asked', async () => {
  const { url } = await started()
  const client = createClient({
    url,
    platform,
    token: await signToken(SECRET, { sub: 'ada', scope: 'submit:a.*' }, 60_000),
  })
  closing.push(() => client.close())
  await expect(client.submit('b', 1)).rejects.toMatchObject({ code: 'not_permitted' })
  const handle = await client.submit('a.b', 1)
  expect(await handle.status()).toMatchObject({ state: 'ready' })
})

test('token() that fails once is asked again', async () => {
  const { url } = await started()
  let asked = 0
  const token = async () => {
    asked += 1
    if (asked === 1) throw new Error('the sign-in is not there')
    return signToken(SECRET, { sub: 'ada', scope: 'submit' }, 60_000)
  }
  const warned: string[] = []
  const logger = { ...silent, warn: (_: object, message: string) => void warned.push(message) }
  const client = createClient({ url, platform, token, logger, timings: { backoffMs: 10 } })
  closing.push(() => client.close())
  await client.submit('echo', 1)
  expect(asked).toBe(2)
  expect(warned.join()).toContain('the sign-in is not there')
})

const ignore = (): void => {}
const silent = { debug: ignore, info: ignore, warn: ignore, error: ignore }
