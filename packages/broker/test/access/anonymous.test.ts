import { once } from 'node:events'
import { request } from 'node:http'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { createBroker } from '../../src/index.ts'

async function warningsOf(config: Parameters<typeof createBroker>[0]): Promise<string[]> {
  const lines: { level: number; msg: string }[] = []
  const logger = pino({ level: 'warn' }, { write: (line: string) => void lines.push(JSON.parse(line)) })
  const broker = await createBroker({ port: 0, journal: { kind: 'memory' }, ...config, logger })
  await broker.close()
  return lines.map(({ msg }) => msg).filter((msg) => /access control/.test(msg))
}

test('a broker that lets everybody do everything says so, once and as a warning', async () => {
  expect(await warningsOf({})).toEqual([expect.stringMatching(/everybody who reaches this broker may do everything/)])
  expect(await warningsOf({ access: { secret: 'a secret of thirty-two bytes or so, or more' } })).toEqual([])
})

test.each(['0.0.0.0', '::', '192.0.2.1'])('on %s it does not start, and says what is missing', async (host) => {
  await expect(createBroker({ host, port: 0, journal: { kind: 'memory' } })).rejects.toThrow(
    /needs access: .*Set access, or take a loopback address/,
  )
})

test('a Host that is no name is a bad request, and nothing to log', async () => {
  const lines: string[] = []
  const logger = pino({ level: 'error' }, { write: (line: string) => void lines.push(line) })
  const access = { secret: 'a secret of thirty-two bytes or so, or more' }
  const broker = await createBroker({ port: 0, journal: { kind: 'memory' }, access, logger })
  for (const host of ['127.7.0.0.1', '127..0.1:80', 'a b', '[::1', 'name:99999999']) {
    const asked = request(`${broker.httpUrl}/v1/queues`, { headers: { host }, agent: false }).end()
    const [response] = await once(asked, 'response')
    response.resume()
    expect([host, response.statusCode]).toEqual([host, 400])
  }
  await broker.close()
  expect(lines).toEqual([])
})
