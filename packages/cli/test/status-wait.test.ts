import { createServer, type ServerResponse } from 'node:http'
import { afterAll, expect, test } from 'vitest'
import { Sandbox } from './processes.ts'

const sandbox = new Sandbox()
afterAll(() => sandbox.end())

const id = '01890a5d-ac96-774b-bcce-b302099a8057'
const json = (status: number, body: object) => (response: ServerResponse) =>
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
const unfinished = json(200, { id, state: 'leased' })
const gone = (response: ServerResponse) => response.destroy()
const leaving = json(503, { error: { code: 'draining', message: 'the broker is leaving', retryAfterMs: 1000 } })

/** `status --wait` against a broker that answers so, one request after the other. */
async function statusAfter(...answers: ((response: ServerResponse) => unknown)[]) {
  const server = createServer((_, response) => answers.shift()?.(response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `ws://127.0.0.1:${(server.address() as { port: number }).port}`
  const ended = await sandbox.run(['status', '--wait', '--json', id, '--url', url])
  server.close()
  return { ...ended, left: answers.length }
}

test('status --wait outlives a broker that leaves and comes back, and says once that it is away', async () => {
  const succeeded = json(200, { id, state: 'succeeded', result: 2 })
  const { code, out, err, left } = await statusAfter(unfinished, unfinished, leaving, gone, gone, unfinished, succeeded)
  expect(JSON.parse(out)).toMatchObject({ tasks: [{ id, state: 'succeeded', result: 2 }] })
  expect(err).toBe('the broker is leaving (draining) Try again in 1 s. Trying again.\n')
  expect({ code, left }).toEqual({ code: 0, left: 0 })
})

test('a broker that came back without the task has no outcome to wait for', async () => {
  const unknown = json(404, { error: { code: 'unknown_task', message: 'not held' } })
  const { code, out } = await statusAfter(unfinished, gone, unknown)
  expect(JSON.parse(out)).toEqual({ tasks: [{ id, state: 'unknown' }] })
  expect(code).toBe(1)
})

test('any other refusal ends the waiting', async () => {
  const { code, err } = await statusAfter(unfinished, json(500, { error: { code: 'internal', message: 'it failed' } }))
  expect(err).toBe('sluice: it failed (internal)\n')
  expect(code).toBe(1)
})
