import { execFile, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { type Broker, createBroker } from '@sluice/broker'
import { createWorker } from '@sluice/worker-node'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { outcomeLine } from '../src/commands/tail.ts'
import { SCRIPTS, type Shell } from '../src/completion.ts'
import { Sandbox } from './processes.ts'

// Commands of those who look after a broker.

const sandbox = new Sandbox()
let broker: Broker
let worker: ReturnType<typeof createWorker>
let env: Record<string, string>

beforeAll(async () => {
  broker = await createBroker({ journal: { kind: 'memory' }, port: 0 })
  env = { SLUICE_URL: broker.url }
  const handlers = {
    double: (n: number) => n * 2,
    broken: () => Promise.reject(new Error('no such luck')),
    slow: (_: unknown, { signal }: { signal: AbortSignal }) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  }
  worker = createWorker({ url: broker.url, name: 'one', labels: { gpu: '', memoryGb: '64' }, handlers, concurrency: 8 })
  worker.start()
})
afterAll(async () => {
  await worker.close()
  await broker.close()
  await sandbox.end()
})

const sluice = (args: string[]) => sandbox.run(args, { env })
const UNKNOWN = '01890a5d-ac96-774b-bcce-b302099a8057'

async function ask(method: string, path: string, body?: unknown) {
  const init = body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
  const response = await fetch(`${broker.httpUrl}${path}`, { method, ...init })
  return (await response.json()) as { tasks: { id: string; state: string }[] }
}

/** Ids of new tasks. */
async function submitted(queue: string, count: number, options: object = {}): Promise<string[]> {
  const tasks = Array.from({ length: count }, (_, n) => ({ body: n }))
  return (await ask('POST', '/v1/tasks', { queue, options, tasks })).tasks.map(({ id }) => id)
}

const inState = (id: string, state: string) =>
  expect
    .poll(async () => (await fetch(`${broker.httpUrl}/v1/tasks/${id}`)).json(), { timeout: 10_000 })
    .toMatchObject({ state })

test('cancel ends tasks that wait or run, and says of each other one why not', async () => {
  const [running = ''] = await submitted('slow', 1)
  const [waiting = ''] = await submitted('later', 1)
  const [done = ''] = await submitted('double', 1)
  await inState(running, 'leased')
  await inState(done, 'succeeded')
  const { code, out, err } = await sluice(['cancel', running, waiting, done, UNKNOWN])
  expect(out).toBe('2 cancelled.\n')
  expect(err).toContain(`task ${done} is already succeeded (task_finished)\n`)
  expect(err).toContain(
    `there is no task ${UNKNOWN}: it was never accepted, or its record has expired (unknown_task)\nsluice: 2 of 4 not cancelled.\n`,
  )
  expect(code).toBe(1)
  await inState(running, 'cancelled')
})

test('list shows the tasks of a queue by state, and the command for the next page', async () => {
  const ids = await submitted('listed', 3)
  const first = await sluice(['list', 'listed', '--state', 'ready', '--limit', '2'])
  expect(first.out.split('\n')[0]).toMatch(/^ID +STATE +QUEUE +TRIES +AGE +NOTE$/)
  expect(first.out).toContain(`\n${ids[1]}  ready  listed      0  `)
  const more = `sluice list listed --state ready --after ${ids[1]}`
  expect(first.err).toBe(`More: ${more}\n`)
  const second = await sluice([...more.split(' ').slice(1), '--json'])
  expect(JSON.parse(second.out)).toMatchObject({ tasks: [{ id: ids[2], state: 'ready', queue: 'listed' }] })
  expect(await sluice(['list', 'listed', '--state', 'dead'])).toEqual({ code: 0, out: '', err: 'No such tasks.\n' })
})

test('purge drops what waits, once it was said so', async () => {
  await submitted('unwanted', 3)
  await submitted('unwanted', 2, { delayMs: 60_000 })
  expect(await sluice(['purge', 'unwanted'])).toEqual({
    code: 2,
    out: '',
    err: 'sluice: Drop 3 ready and 2 delayed tasks of unwanted? Say so with --yes.\n',
  })
  expect(await sluice(['purge', 'unwanted', '--yes'])).toEqual({ code: 0, out: '5 dropped.\n', err: '' })
  expect(await sluice(['purge', 'no.such', '--yes'])).toEqual({
    code: 1,
    out: '',
    err: 'sluice: There is no queue no.such. See: sluice queues\n',
  })
})

test('dead purge forgets dead letters, by id or by queue', async () => {
  const [one = '', two = ''] = await submitted('broken', 2, { retry: { kind: 'none' } })
  await inState(one, 'dead')
  await inState(two, 'dead')
  const named = await sluice(['dead', 'purge', one, UNKNOWN, '--yes'])
  expect(named).toMatchObject({ code: 1, out: '1 forgotten.\n' })
  expect(named.err).toContain(`${UNKNOWN} is not held`)
  expect(await sluice(['dead', 'purge', '--queue', 'broken', '--yes', '--json'])).toEqual({
    code: 0,
    out: '{"purged":1}\n',
    err: '',
  })
  expect((await fetch(`${broker.httpUrl}/v1/tasks/${two}`)).status).toBe(404)
})

test('dead redrive says which ids are no dead letters, and which queue is none', async () => {
  const [done = ''] = await submitted('double', 1)
  await inState(done, 'succeeded')
  const { code, out, err } = await sluice(['dead', 'redrive', UNKNOWN, done])
  expect(err).toMatch(new RegExp(`^${UNKNOWN} is not held.*\n${done} is succeeded, not dead\\.\nsluice: 2 of 2 are no`))
  expect({ code, out }).toEqual({ code: 1, out: '0 ready again.\n' })
  const none = await sluice(['dead', 'redrive', '--queue', 'no.such'])
  expect(none).toEqual({ code: 1, out: '', err: 'sluice: There is no queue no.such. See: sluice queues\n' })
})

test('workers lists those who take tasks', async () => {
  const { out } = await sluice(['workers'])
  expect(out).toMatch(
    /^WORKER +NAME +STATE +LEASED +CREDIT +QUEUES +LABELS\nworker-\d+ +one +connected +\d+ +\d+ +\w+, .* gpu, memoryGb=64/,
  )
  expect(JSON.parse((await sluice(['workers', '--json'])).out)).toMatchObject({
    workers: [{ name: 'one', labels: { gpu: '', memoryGb: '64' } }],
  })
})

test('tail shows outcomes with their time, as they come', async () => {
  const tail = sandbox.start(['tail', 'double', '--limit', '2', '--json'], env)
  await expect.poll(() => tail.err, { timeout: 15_000 }).toMatch(/Waiting for outcomes/)
  const ids = await submitted('double', 2)
  const { code, out } = await tail.ended
  const seen = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(seen.map(({ id }) => id).sort()).toEqual(ids.toSorted())
  for (const { time, state } of seen) {
    expect(new Date(time).toISOString()).toBe(time)
    expect(state).toBe('succeeded')
  }
  expect(code).toBe(0)
})

test('tail shows people the time of day, the id, and why a task is dead', () => {
  const task = { id: UNKNOWN, state: 'dead', queue: 'q', attempts: 1, ageMs: 2500 } as const
  const dead = { ...task, reason: 'not_retryable', error: { message: 'no such luck' } } as const
  const time = new Date(2026, 0, 2, 3, 4, 5)
  const line = `dead       ${UNKNOWN}  q  1 try  2s  not_retryable: no such luck`
  expect(outcomeLine(dead, time, true)).toBe(`03:04:05  ${line}`)
  expect(outcomeLine(dead, time, false)).toBe(`${time.toISOString()}  ${line}`)
})

test('watch has a time in every line that is piped', async () => {
  for (const flags of [[], ['--json']]) {
    const watch = sandbox.start(['watch', '--interval', '100', ...flags], env)
    await watch.says(/\n[\s\S]*\n/)
    watch.child.kill('SIGINT')
    const { out } = await watch.ended
    for (const line of out.trim().split('\n')) {
      const time = flags.length > 0 ? JSON.parse(line).time : line.split(' ')[0]
      expect(new Date(time).toISOString()).toBe(time)
    }
  }
})

test('doctor looks at the machine and at the broker', async () => {
  await submitted('nobody.takes', 1)
  const { code, out } = await sluice(['doctor'])
  expect(out).toMatch(/^ok {4}node +v/)
  expect(out).toMatch(/^ok {4}websocket +hello was answered$/m)
  expect(out).toMatch(/^warn {2}durability +memory: .*--durability strict$/m)
  expect(out).toMatch(/^warn {2}queue +no worker takes nobody\.takes, where 1 are ready$/m)
  expect(code).toBe(0)

  const none = await sandbox.run(['doctor', '--json'], { env: { SLUICE_URL: 'ws://127.0.0.1:9', SLUICE_PROT: '1' } })
  expect(JSON.parse(none.out).findings).toMatchObject([
    { what: 'node', verdict: 'ok' },
    { what: 'settings', verdict: 'fail', text: expect.stringContaining('SLUICE_PROT is no setting') },
    { what: 'broker', verdict: 'fail', text: expect.stringContaining('No broker answers') },
  ])
  expect(none.code).toBe(3)
})

test('doctor says where HTTP works and WebSockets do not', async () => {
  const server = createServer(async (request, response) => {
    const answer = await fetch(`${broker.httpUrl}${request.url}`)
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const { code, out } = await sandbox.run(['doctor', '--url', `http://127.0.0.1:${port}`])
  server.close()
  expect(out).toMatch(/^fail {2}websocket .*though HTTP works: is there a proxy\?$/m)
  expect(code).toBe(1)
})

/** What each shell completes for a line, with `sluice` on its path. */
const ASKS: Record<Shell, (script: string, line: string) => string[]> = {
  bash: (script, line) => [
    '-c',
    `source ${script}; COMP_WORDS=(${line}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _sluice; printf '%s\\n' "\${COMPREPLY[@]}"`,
  ],
  zsh: (script, line) => [
    '-fc',
    `compdef() { :; }; _describe() { printf '%s\\n' "\${(@P)2}"; }; _files() { :; }; source ${script}; words=(${line}); CURRENT=\${#words}; _sluice`,
  ],
  fish: (script, line) => ['--no-config', '-c', `source ${script}; complete -C '${line}'`],
}

test.for(Object.keys(SCRIPTS) as Shell[])(
  '%s completes commands, flags, choices and queues',
  { timeout: 120_000 },
  async (shell, { skip }) => {
    if (spawnSync(shell, ['--version']).status !== 0) skip(`there is no ${shell} here`)
    await submitted('photos', 1)
    const bin = join(sandbox.directory, 'bin')
    mkdirSync(bin, { recursive: true })
    const command = join(import.meta.dirname, '..', 'src', 'main.ts')
    writeFileSync(join(bin, 'sluice'), `#!/bin/sh\nexec "${process.execPath}" "${command}" "$@"\n`)
    chmodSync(join(bin, 'sluice'), 0o755)
    const script = join(sandbox.directory, `completion.${shell}`)
    writeFileSync(script, (await sluice(['completion', shell])).out)
    const complete = async (line: string) => {
      const { stdout, stderr } = await promisify(execFile)(shell, ASKS[shell](script, line), {
        cwd: sandbox.directory,
        env: { PATH: [bin, process.env.PATH].join(delimiter), HOME: sandbox.directory, ...env },
      })
      const lines = stdout.trim().split('\n')
      return { found: lines.map((text) => text.split(/[:\t]/)[0]).sort(), stderr }
    }
    expect(await complete('sluice wat')).toEqual({ found: ['watch'], stderr: '' })
    expect((await complete('sluice list --state d')).found).toEqual(['dead', 'delayed'])
    // The shell waits only so long for the names of the broker's queues.
    await expect.poll(async () => (await complete('sluice purge pho')).found, { timeout: 60_000 }).toEqual(['photos'])
    expect((await complete('sluice dead red')).found).toEqual(['redrive'])
  },
)
