import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Sandbox } from './processes.ts'

const sandbox = new Sandbox()
let env: Record<string, string>

const HANDLERS = `export default {
  double: async (n, ctx) => { ctx.progress(0.5); return n * 2 },
  broken: async () => { throw new Error('no such luck') },
  digits: async () => JSON.rawJSON('12345678901234567890'),
}`

beforeAll(async () => {
  const { url } = await sandbox.broker('--queue-tasks-max', '5')
  env = { SLUICE_URL: url }
  writeFileSync(join(sandbox.directory, 'tasks.mjs'), HANDLERS)
  const worker = sandbox.start(['worker', './tasks.mjs'], env)
  await worker.says(/"msg":"working"/)
})
afterAll(() => sandbox.end())

const sluice = (args: string[], input?: string) => sandbox.run(args, { env, ...(input === undefined ? {} : { input }) })

const UNKNOWN = '01890a5d-ac96-774b-bcce-b302099a8057'
const ID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/

test('submit --wait prints the result', async () => {
  expect(await sluice(['submit', 'double', '21', '--wait'])).toEqual({ code: 0, out: '42\n', err: '' })
})

test('submit takes one task a line from standard input, and --json names each', async () => {
  const { code, out } = await sluice(['submit', 'double', '--wait', '--json'], '1\n2\n\n3\n')
  const tasks = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(code).toBe(0)
  expect(tasks.map(({ result }) => result).sort()).toEqual([2, 4, 6])
  expect(tasks.every(({ id, state }) => ID.test(id) && state === 'succeeded')).toBe(true)
})

test('submit takes a file of one document or of lines', async () => {
  writeFileSync(join(sandbox.directory, 'one.json'), '\n  4\n')
  writeFileSync(join(sandbox.directory, 'many.jsonl'), '5\n6\n')
  expect(await sluice(['submit', 'double', '--file', 'one.json', '--wait'])).toMatchObject({ code: 0, out: '8\n' })
  const { out } = await sluice(['submit', 'double', '--file', 'many.jsonl', '--wait'])
  expect(out.trim().split('\n').sort()).toEqual(['10', '12'])
})

test('input in UTF-8 may begin with a byte order mark; other bytes are refused', async () => {
  expect(await sluice(['submit', 'double', '--wait'], '\ufeff4\r\n')).toMatchObject({ code: 0, out: '8\n' })
  writeFileSync(join(sandbox.directory, 'latin1.json'), Buffer.from('"é"', 'latin1'))
  for (const args of [
    ['--file', 'latin1.json'],
    ['--file', '-'],
  ]) {
    const running = sandbox.start(['submit', 'double', ...args], env)
    running.child.stdin?.end(Buffer.from('"é"\n', 'latin1'))
    const { code, out, err } = await running.ended
    expect(err).toMatch(/^sluice: (latin1\.json|standard input) is not UTF-8: convert it first/)
    expect({ code, out }).toEqual({ code: 2, out: '' })
  }
})

test('input that nests too deep is refused by line', async () => {
  const deep = '['.repeat(100_000) + ']'.repeat(100_000)
  expect(await sluice(['submit', 'double'], `${deep}\n`)).toEqual({
    code: 2,
    out: '',
    err: 'sluice: Line 1 of standard input nests too deep.\n',
  })
})

test('no input is no failure, and is said', async () => {
  expect(await sluice(['submit', 'double'], '\n')).toEqual({
    code: 0,
    out: '',
    err: 'Nothing was submitted: the input is empty.\n',
  })
})

test('a bad line ends with exit code 2 and its number, after what stood before it was submitted', async () => {
  const { code, out, err } = await sluice(['submit', 'double'], '1\n{oops\n3\n')
  expect(code).toBe(2)
  expect(out.trim()).toMatch(ID)
  expect(err).toContain('Line 2 of standard input is not JSON: {oops')
})

test('the same --id twice is the same task', async () => {
  const id = '01890a5d-ac96-774b-bcce-b302099a8999'
  for (let round = 0; round < 2; round++) {
    expect(await sluice(['submit', 'double', '7', '--id', id])).toMatchObject({ code: 0, out: `${id}\n` })
  }
  const conflict = await sluice(['submit', 'double', '8', '--id', id])
  expect(conflict.code).toBe(1)
  expect(conflict.err).toContain('id_conflict')
})

test('a task that dies gives exit code 1, is listed with its reason, and can be redriven', async () => {
  const submitted = await sluice(['submit', 'broken', '1', '--wait', '--attempts', '1'])
  expect(submitted.code).toBe(1)
  expect(submitted.err).toContain('no such luck')
  expect(submitted.err).toContain('sluice dead list --queue broken')

  const listed = await sluice(['dead', 'list', '--queue', 'broken'])
  expect(listed.out).toMatch(/ID +QUEUE +TRIES +AGE +WHY\n[0-9a-f-]{36} +broken +1 +\w+ +no such luck\n$/)
  const { tasks } = JSON.parse((await sluice(['dead', 'list', '--json'])).out)
  expect(tasks).toMatchObject([{ queue: 'broken', attempts: 1, error: { message: 'no such luck' } }])

  const status = await sluice(['status', tasks[0].id])
  expect(status.code).toBe(1)
  expect(status.out).toMatch(/^state +dead$/m)
  expect(status.out).toMatch(/^attempt 1 +failed: no such luck$/m)

  expect(await sluice(['dead', 'redrive', tasks[0].id, '--json'])).toMatchObject({ code: 0, out: '{"redriven":1}\n' })
  const again = await sluice(['status', '--wait', '--json', tasks[0].id])
  expect(JSON.parse(again.out)).toMatchObject({ tasks: [{ state: 'dead' }] })
  expect(await sluice(['dead', 'redrive', '--queue', 'broken'])).toMatchObject({ code: 0, out: '1 ready again.\n' })
})

test('submit --wait that is interrupted gives exit code 130, and says how to ask for what goes on', async () => {
  const waiting = sandbox.start(['submit', 'nobody', '1', '--wait'], env)
  const ready = async () => JSON.parse((await sluice(['queues', '--json'])).out).queues
  await expect.poll(ready, { timeout: 10_000 }).toContainEqual(expect.objectContaining({ name: 'nobody', ready: 1 }))
  // The answer is on its way by now; this takes longer.
  await ready()
  waiting.child.kill('SIGINT')
  const { code, err } = await waiting.ended
  expect(code).toBe(130)
  const [, id] = /goes on without this command\. .*: sluice status --wait (\S+)\n$/.exec(err) ?? []
  expect(JSON.parse((await sluice(['status', '--json', id as string])).out)).toMatchObject({
    tasks: [{ state: 'ready' }],
  })
})

test('a number keeps its digits on its way to the worker', async () => {
  const socket = new WebSocket(env.SLUICE_URL as string, 'sluice.v1')
  const delivered = new Promise<string>((resolve) => {
    socket.onmessage = ({ data }) => (data as string).includes('"deliver"') && resolve(data as string)
  })
  socket.onopen = () =>
    socket.send('[{"type":"hello","versions":[1],"roles":["worker"]},{"type":"credit","credit":1,"queues":["wide"]}]')
  await sluice(['submit', 'wide', '{"n": 12345678901234567890, "x": [1.10, 2]}'])
  expect(await delivered).toContain('"bodies":[{"n":12345678901234567890,"x":[1.10,2]}]')
  socket.close()
})

test('a result keeps its digits, waited for or looked up', async () => {
  expect(await sluice(['submit', 'digits', '1', '--wait'])).toMatchObject({ code: 0, out: '12345678901234567890\n' })
  const { out } = await sluice(['submit', 'digits', '1', '--wait', '--json'])
  expect(out).toContain('"result":12345678901234567890}')
  expect((await sluice(['status', JSON.parse(out).id])).out).toMatch(/^result +12345678901234567890$/m)
})

test('status --wait shows the result', async () => {
  const { out: id } = await sluice(['submit', 'double', '50'])
  const { code, out } = await sluice(['status', '--wait', id.trim()])
  expect(code).toBe(0)
  expect(out).toMatch(/^result +100$/m)
})

test('status of several tasks is a table; an unknown one gives exit code 1', async () => {
  const { out: id } = await sluice(['submit', 'double', '1'])
  const { code, out } = await sluice(['status', id.trim(), UNKNOWN])
  expect(code).toBe(1)
  expect(out).toMatch(new RegExp(`^ID +STATE +QUEUE[\\s\\S]*^${UNKNOWN} +unknown`, 'm'))
})

test('queues lists what is waiting, and --fail-when-busy gives exit code 4 at the bound', async () => {
  expect((await sluice(['submit', 'idle'], '1\n2\n3\n4\n5\n')).code).toBe(0)
  const busy = await sluice(['submit', 'idle', '6', '--fail-when-busy'])
  expect(busy.code).toBe(4)
  expect(busy.err).toMatch(/\(busy\) Try again in \d+ s\./)

  const { queues } = JSON.parse((await sluice(['queues', '--json'])).out)
  expect(queues.find(({ name }: { name: string }) => name === 'idle')).toMatchObject({ ready: 5, workers: 0 })
  expect((await sluice(['queues'])).out).toMatch(/^idle +5 +0 +0 +0 +0 +0 +0$/m)
})

test('watch --once shows broker and queues', async () => {
  const { code, out } = await sluice(['watch', '--once'])
  expect(code).toBe(0)
  expect(out).toMatch(/^ws:\S+ {2}ready {2}strict .*\n\nQUEUE /)
})

test('watch writes plain lines where it is no terminal, until it is told to end', async () => {
  const watch = sandbox.start(['watch', '--interval', '100'], env)
  await watch.says(/(idle ready=5 .*\n[\s\S]*){2}/)
  watch.child.kill('SIGINT')
  expect((await watch.ended).code).toBe(0)
})

test.each([['queues'], ['watch'], ['status', UNKNOWN], ['dead', 'list'], ['submit', 'q', '1']])(
  '%s without a broker gives exit code 3 and says what to do',
  async (...args) => {
    const ended = await sandbox.run(args, { env: { SLUICE_URL: 'ws://127.0.0.1:9' } })
    expect(ended.err).toContain('No broker answers at ws://127.0.0.1:9. Start one: sluice broker')
    expect(ended.code).toBe(3)
  },
)

test.each([
  ['{"queues": 1}', 200, 'text/html'],
  ['{"error": "not found"}', 404, 'application/json'],
  ['[]', 200, 'application/json'],
  ['<html>', 502, 'text/html'],
])('something else that answers %s (%i) is no broker: exit code 3', async (answer, status, contentType) => {
  const server = createServer((_, response) => response.writeHead(status, { 'content-type': contentType }).end(answer))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as { port: number }).port}`
  const { code, err } = await sandbox.run(['watch', '--once', '--url', url])
  server.close()
  expect(err).toMatch(/^sluice: What answers at \S+ is no Sluice broker\. Check the address: --url, SLUICE_URL\n$/)
  expect(code).toBe(3)
})

test('what prints ends quietly with 141 when nobody reads it any more', async () => {
  const watching = sandbox.start(['watch', '--interval', '100'], env)
  await watching.says(/\n/)
  watching.child.stdout?.destroy()
  expect(await watching.ended).toMatchObject({ code: 141, err: '' })
})
