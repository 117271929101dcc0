import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startFailure } from '../src/start-failure.ts'

const place = { host: '127.0.0.1', port: 80, dataFile: 'jobs.db' }
const failure = (fields: object) => Object.assign(new Error('EOTHER: it failed'), fields)

test.each([
  [
    { code: 'EACCES', syscall: 'open', path: 'jobs.db-lock' },
    /^EOTHER: it failed\. Or take another file with --data-file$/,
  ],
  [{ code: 'EACCES', syscall: 'listen' }, /^This user may not listen on port 80: take one from 1024 on with --port/],
  [{ code: 'EADDRNOTAVAIL', syscall: 'listen' }, /it failed\. Take another address \(--host\) or port \(--port\)$/],
])('%j is said by its cause, with what to do about that', async (fields, message) => {
  const said = await startFailure(failure(fields), place, [])
  expect(said?.message).toMatch(message)
  expect(said?.exitCode).toBe(1)
  if (!message.source.includes('port')) expect(said?.message).not.toContain('port')
})

test('a port that is taken is said with a command that works', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const taken = failure({ code: 'EADDRINUSE', syscall: 'listen' })
  const typed = ['broker', '--port', String(port), '--data-file', "it's.db", '--queue-tasks-max', '5']
  const said = await startFailure(taken, { ...place, port }, typed)
  server.close()
  const [, command, url] = said?.message.split('\n').map((line) => line.trim()) ?? []
  const [, free] =
    /^sluice broker --data-file 'it'\\''s\.db' --queue-tasks-max 5 --port (\d+)$/.exec(command ?? '') ?? []
  expect(Number(free)).toBeGreaterThan(port)
  expect(url).toBe(`export SLUICE_URL=ws://127.0.0.1:${free}`)
})

test.runIf(process.getuid?.() === 0)('a data file of another user is no matter of ports', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-foreign-'))
  const main = join(import.meta.dirname, '..', 'src', 'main.ts')
  const child = spawn(process.execPath, [main, 'broker', '--port', '0', '--data-file', join(directory, 'jobs.db')], {
    uid: 65_534,
    gid: 65_534,
    cwd: '/',
    env: { PATH: process.env.PATH },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let err = ''
  child.stderr.on('data', (text) => {
    err += text
  })
  const [code] = await once(child, 'close')
  rmSync(directory, { recursive: true })
  expect(err).toMatch(/^sluice: .*EACCES.*jobs\.db.*--data-file\n$/)
  expect(err).not.toContain('--port')
  expect(code).toBe(1)
})
