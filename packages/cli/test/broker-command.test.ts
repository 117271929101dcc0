import { existsSync, linkSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Sandbox } from './processes.ts'

let sandbox: Sandbox
beforeEach(() => {
  sandbox = new Sandbox()
})
afterEach(() => sandbox.end())

test('[JOURNAL-12] a broker keeps its tasks in .sluice, private to its user, over a restart, and leaves with 0 at SIGTERM', async () => {
  const first = await sandbox.broker()
  await sandbox.run(['submit', 'q', '1'], { env: { SLUICE_URL: first.url } })
  first.running.child.kill('SIGTERM')
  expect((await first.running.ended).code).toBe(0)
  const modeOf = (...path: string[]) => statSync(join(sandbox.directory, '.sluice', ...path)).mode & 0o777
  expect([modeOf(), modeOf('broker.db')]).toEqual([0o700, 0o600])

  const second = await sandbox.broker()
  const { out } = await sandbox.run(['queues', '--json'], { env: { SLUICE_URL: second.url } })
  expect(JSON.parse(out)).toMatchObject({ queues: [{ name: 'q', ready: 1 }] })
})

test.each(['SIGINT', 'SIGHUP'] as const)(
  '%s drains as SIGTERM does, also where it comes twice at once',
  async (signal) => {
    const { running } = await sandbox.broker()
    running.child.kill(signal)
    running.child.kill(signal)
    expect((await running.ended).code).toBe(0)
  },
)

test('a signal that comes while it starts ends it in order as well', async () => {
  const running = sandbox.start(['broker', '--port', '0'])
  await running.says(/"msg":"recovered"/)
  running.child.kill('SIGINT')
  expect(await running.ended).toMatchObject({ code: 0, out: expect.stringContaining('"msg":"closed"') })
})

test('a second signal leaves at once with 130 while a lease is out', async () => {
  const { url, running } = await sandbox.broker()
  writeFileSync(
    join(sandbox.directory, 'slow.mjs'),
    'export default { slow: () => new Promise(() => setTimeout(() => {}, 1e6)) }',
  )
  sandbox.start(['worker', './slow.mjs'], { SLUICE_URL: url })
  await sandbox.run(['submit', 'slow', '1'], { env: { SLUICE_URL: url } })
  for (;;) {
    const { queues } = JSON.parse((await sandbox.run(['queues', '--json'], { env: { SLUICE_URL: url } })).out)
    if (queues[0].leased === 1) break
  }
  running.child.kill('SIGINT')
  await new Promise((resolve) => setTimeout(resolve, 800))
  running.child.kill('SIGINT')
  expect((await running.ended).code).toBe(130)
})

test('a port that is taken ends the start with what to do', async () => {
  const { url } = await sandbox.broker()
  const { port } = new URL(url)
  const { code, err } = await sandbox.run(['broker', '--port', port, '--data-file', 'other.db'])
  expect(err).toMatch(`Port ${port} of 127.0.0.1 is taken.`)
  expect(code).toBe(1)
})

test('a data file where none can be ends the start with what to do', async () => {
  writeFileSync(join(sandbox.directory, 'file'), '')
  const { code, err } = await sandbox.run(['broker', '--port', '0', '--data-file', 'file/broker.db'])
  expect(err).toMatch(/^sluice: .*file'?\. Or take another file with --data-file\n$/)
  expect(code).toBe(1)
})

test.runIf(process.platform === 'linux').each([
  ['/proc/none/broker.db', /mkdir '\/proc\/none'\. Or take another/],
  ['/proc/broker.db', /open '\/proc\/broker\.db'\. Or take another/],
  ['/dev/null', /\/dev\/null is no file/],
  ['.', /is no file, but a directory/],
  ['none/', /none\/'\. Or take another/],
])('[JOURNAL-11] --data-file %s, where none can be, is refused and left as it is', async (file, message) => {
  const { code, err } = await sandbox.run(['broker', '--port', '0', '--data-file', file])
  expect(err).toMatch(message)
  expect(err).not.toContain('    at ')
  expect(code).toBe(1)
  expect(existsSync(`${join(sandbox.directory, file)}-lock`)).toBe(false)
  expect(existsSync(`${file}-lock`)).toBe(false)
})

test('a second broker on the same file is refused', async () => {
  await sandbox.broker()
  const { code, err } = await sandbox.run(['broker', '--port', '0'])
  expect(err).toContain('--data-file')
  expect(code).toBe(1)
})

test('[HOST-5] a broker whose journal fails says why and exits with 1, and a restart takes up what it had accepted', async () => {
  const { url, running } = await sandbox.broker()
  await sandbox.run(['submit', 'q', '1'], { env: { SLUICE_URL: url } })
  const database = new DatabaseSync(join(sandbox.directory, '.sluice', 'broker.db'))
  database.exec("CREATE TRIGGER full BEFORE INSERT ON batches BEGIN SELECT RAISE(ABORT, 'no room left'); END")
  sandbox.start(['submit', 'q', '2'], { SLUICE_URL: url })
  const { code, out, err } = await running.ended
  expect(out).toMatch(/"level":50.*no room left/)
  expect(err).toMatch(/sluice: .*broker\.db stopped: no room left.*start the broker again/i)
  expect(err).not.toContain('    at ')
  expect(code).toBe(1)

  database.exec('DROP TRIGGER full')
  database.close()
  const second = await sandbox.broker()
  const queues = await sandbox.run(['queues', '--json'], { env: { SLUICE_URL: second.url } })
  expect(JSON.parse(queues.out)).toMatchObject({ queues: [{ name: 'q', ready: 1 }] })
})

test('[JOURNAL-15] [JOURNAL-16] a file with two names ends the start, and one that is removed ends the broker, with what to do', async () => {
  const { running } = await sandbox.broker()
  const file = join(sandbox.directory, '.sluice', 'broker.db')
  linkSync(file, `${file}.link`)
  const second = await sandbox.run(['broker', '--port', '0', '--data-file', `${file}.link`])
  expect(second).toMatchObject({ code: 1, err: expect.stringMatching(/^sluice: .*2 names.*--data-file\n$/) })
  rmSync(file)
  expect(await running.ended).toMatchObject({
    code: 1,
    err: expect.stringMatching(/^sluice: .*broker\.db is gone.*start the broker again\n$/),
  })
})

test('a journal that cannot be written at the start ends it with the file and the reason', async () => {
  const first = await sandbox.broker()
  first.running.child.kill('SIGTERM')
  await first.running.ended
  const database = new DatabaseSync(join(sandbox.directory, '.sluice', 'broker.db'))
  database.exec("CREATE TRIGGER full BEFORE INSERT ON batches BEGIN SELECT RAISE(ABORT, 'no room left'); END")
  database.close()
  const { code, err } = await sandbox.run(['broker', '--port', '0'])
  expect(err).toMatch(/broker\.db stopped: no room left. Mend that/)
  expect(err).not.toContain('    at ')
  expect(code).toBe(1)
})

test('[HOST-17] a frame into which a stored body does not fit ends the start with the value that would do', async () => {
  const first = await sandbox.broker()
  const input = JSON.stringify('x'.repeat(100_000))
  await sandbox.run(['submit', 'q'], { env: { SLUICE_URL: first.url }, input })
  first.running.child.kill('SIGTERM')
  await first.running.ended
  const small = ['broker', '--port', '0', '--body-bytes-max', '1000', '--frame-bytes-max']
  const { code, err } = await sandbox.run([...small, '100000'])
  const [, needed] = /^sluice: frameBytesMax .* Set frameBytesMax to (\d+) at least, until .*\n$/.exec(err) ?? []
  expect(code).toBe(2)
  const again = sandbox.start([...small, needed as string])
  await again.says(/"msg":"listening"/)
})

test('durability that can lose tasks is said loudly', async () => {
  const { running } = await sandbox.broker('--durability', 'memory')
  expect(running.out).toMatch(/"level":40.*durability is memory/)
  expect(existsSync(join(sandbox.directory, '.sluice'))).toBe(false)
})

test('settings come from the file in the working directory as well', async () => {
  writeFileSync(join(sandbox.directory, 'sluice.config.json'), '{"durability": "relaxed", "logLevel": "info"}')
  const { running } = await sandbox.broker()
  expect(running.out).toContain('"durability":"relaxed"')
})

test.each([
  [['--host', '0.0.0.0'], {}, /host 0\.0\.0\.0 can be reached by others.*set one of tokenSecret/],
  [['--port', 'http'], {}, /--port must be a whole number from 0 to 65535, not "http"/],
  [[], { SLUICE_DURABILITY: 'safe' }, /SLUICE_DURABILITY must be one of strict, relaxed, memory, not "safe"/],
  [[], { SLUICE_PROT: '1' }, /SLUICE_PROT is no setting; did you mean SLUICE_PORT\?/],
  [['--config', 'none.json'], {}, /none\.json cannot be read/],
  [['--prot', '1'], {}, /unknown option '--prot'\n\(Did you mean --port\?\)/],
])('sluice broker %j %j stops with exit code 2', async (args, env, message) => {
  const { code, err } = await sandbox.run(['broker', ...args], { env })
  expect(err).toMatch(message)
  expect(code).toBe(2)
})

test('files of TLS that cannot be read are named by their setting, without a stack', async () => {
  const { code, err } = await sandbox.run(['broker', '--port', '0', '--tls-cert', 'a.pem', '--tls-key', 'b.pem'])
  expect(code).toBe(2)
  expect(err).toMatch(/tlsCert cannot be read: .*a\.pem/)
  expect(err).not.toMatch(/\n\s+at /)
})
