import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, openSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { LogOutput } from '../src/log-output.ts'

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: it says no`), { code })
}

test('lines that a full disk does not take are lost and counted, and the next one that it takes says so', () => {
  let written = ''
  let isFull = false
  const output = new LogOutput((bytes) => {
    if (isFull) throw systemError('ENOSPC')
    written += Buffer.from(bytes).toString()
    return bytes.length
  })
  output.write('one\n')
  isFull = true
  for (let i = 0; i < 3; i++) output.write('lost\n')
  isFull = false
  output.write('two\n')
  output.write('three\n')
  const [first, , note = '', ...rest] = written.split('\n')
  expect([first, ...rest]).toEqual(['one', 'two', 'three', ''])
  expect(JSON.parse(note)).toMatchObject({ level: 40, lost: 3, msg: '3 log lines were lost: ENOSPC: it says no' })
})

test('a line that is taken in pieces, or not at once, comes whole', () => {
  const written: Uint8Array[] = []
  let calls = 0
  const output = new LogOutput((bytes) => {
    calls += 1
    if (calls % 2 === 0) throw systemError('EAGAIN')
    written.push(bytes.slice(0, 3))
    return Math.min(3, bytes.length)
  })
  output.write('größe 照片\n')
  expect(Buffer.concat(written).toString()).toBe('größe 照片\n')
})

test.runIf(existsSync('/dev/full'))('a broker whose log goes to a full disk goes on', async () => {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as { port: number }
  probe.close()
  await once(probe, 'close')
  const full = openSync('/dev/full', 'w')
  const main = join(import.meta.dirname, '..', 'src', 'main.ts')
  const broker = spawn(process.execPath, [main, 'broker', '--port', String(port), '--durability', 'memory'], {
    stdio: ['ignore', full, full],
  })
  onTestFinished(() => void broker.kill('SIGKILL'))
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined)
    if (answer?.ok) break
    expect(broker.exitCode).toBe(null)
  }
  broker.kill('SIGTERM')
  expect(await once(broker, 'exit')).toEqual([0, null])
})
