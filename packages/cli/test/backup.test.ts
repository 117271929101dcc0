import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { Sandbox } from './processes.ts'

const sandbox = new Sandbox()
afterAll(() => sandbox.end())
const root = join(import.meta.dirname, '..', '..', '..')
const page = readFileSync(join(root, 'docs', 'deployment.md'), 'utf8')
const section = page.slice(page.indexOf('## Backup and restore'))
const [backup = '', restore = ''] = [...section.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(
  ([, lines]) => lines as string,
)

/** What a person types, with the directories of the page in the sandbox. */
function typed(lines: string) {
  const bin = join(sandbox.directory, 'bin')
  mkdirSync(bin, { recursive: true })
  const command = join(import.meta.dirname, '..', 'src', 'main.ts')
  writeFileSync(join(bin, 'sluice'), `#!/bin/sh\nexec "${process.execPath}" "${command}" "$@"\n`)
  chmodSync(join(bin, 'sluice'), 0o755)
  return spawnSync('bash', ['-ec', lines.replaceAll('/var/', `${sandbox.directory}/`)], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: sandbox.directory,
    env: { PATH: [bin, process.env.PATH].join(delimiter) },
  })
}

test('a broker is backed up while it runs, and restored, as docs/deployment.md says', async () => {
  mkdirSync(join(sandbox.directory, 'backups'))
  const file = join(sandbox.directory, 'lib', 'sluice', 'broker.db')
  const start = () => sandbox.broker('--data-file', file)
  const ready = async (url: string) => {
    const { queues } = JSON.parse((await sandbox.run(['queues', '--json', '--url', url])).out)
    return queues[0].ready
  }
  const first = await start()
  await sandbox.run(['submit', 'q', '--url', first.url], { input: '1\n2\n' })
  const copied = typed(backup)
  expect(copied).toMatchObject({ status: 0, stderr: '' })
  expect(copied.stdout).toMatch(/broker\.db copied to .*sluice\.db: \d+ bytes, up to batch \d+\.\n$/)
  expect(typed(backup)).toMatchObject({ status: 1, stderr: expect.stringContaining('exists: name a file that does') })
  await sandbox.run(['submit', 'q', '3', '--url', first.url])
  first.running.child.kill('SIGTERM')
  await first.running.ended

  expect(typed(restore)).toMatchObject({ status: 0, stderr: '' })
  const second = await start()
  expect(await ready(second.url)).toBe(2)
  await sandbox.run(['submit', 'q', '--url', second.url], { input: '4\n5\n6\n' })
  second.running.child.kill('SIGTERM')
  await second.running.ended

  // As one does it who has not read the page: the refusal says what is needed.
  renameSync(join(sandbox.directory, 'backups', 'sluice.db'), file)
  const { code, err } = await sandbox.run(['broker', '--port', '0', '--data-file', file])
  expect(code).toBe(1)
  const [, names = ''] = /it is an older copy\..* remove (.*)\n$/.exec(err) ?? []
  for (const name of names.split(/, | and /)) rmSync(name, { force: true })
  const third = await start()
  expect(await ready(third.url)).toBe(2)
}, 120_000)
