import { execFile, execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { createBroker } from '@sluice/broker'
import { afterAll, beforeAll, expect, test } from 'vitest'

let broker: Awaited<ReturnType<typeof createBroker>>

beforeAll(async () => {
  broker = await createBroker({ journal: { kind: 'memory' }, port: 0 })
})
afterAll(() => broker?.close())

interface Run {
  exitCode: number | string | null | undefined
  stdout: string
  stderr: string
}

function run(command: string, file: string, ...args: string[]): Promise<Run> {
  const path = fileURLToPath(new URL(`../${file}`, import.meta.url))
  return new Promise((resolve) => {
    execFile(command, [path, ...args], { timeout: 20_000 }, (error, stdout, stderr) => {
      resolve({ exitCode: error === null ? 0 : error.code, stdout, stderr })
    })
  })
}

function expectTaskWorked({ exitCode, stdout, stderr }: Run): void {
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  const id = /^submitted: (\S+)$/m.exec(stdout)?.[1]
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  // The delivery may overtake the acceptance, and the outcome the answer to the completion.
  expect(stdout.trim().split('\n').sort()).toEqual(
    [
      'connected: version 1, durability memory',
      `submitted: ${id}`,
      `delivered: ${id}, attempt 1`,
      'completed',
      'outcome: succeeded {"shouted":"HELLO"}',
      'closed: 1000',
    ].sort(),
  )
}

function versionOfPython(): string | null {
  try {
    return execFileSync('python3', ['--version'], { encoding: 'utf8' }).trim()
  } catch {
    return null
  }
}
const python = versionOfPython()

test('[CREDIT-2] a JavaScript file with nothing of ours submits a task and works it', async () => {
  expectTaskWorked(await run(process.execPath, 'raw-client.js', 'raw-js', broker.url))
})

test(`[CREDIT-2] a Python file with the standard library alone does the same${python === null ? ' (skipped: there is no python3 here)' : ''}`, async ({
  skip,
}) => {
  if (python === null) skip('there is no python3 here')
  expectTaskWorked(await run('python3', 'raw_client.py', 'raw-python', broker.url))
})

test.for([
  [process.execPath, 'raw-client.js'],
  ['python3', 'raw_client.py'],
] as const)(
  '%s %s works what its queue held already, and leaves once its own task has an outcome',
  async ([command, file], { skip }) => {
    if (command === 'python3' && python === null) skip('there is no python3 here')
    const queue = `held-${file}`
    const response = await fetch(`${broker.httpUrl}/v1/tasks`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ queue, tasks: [{ body: { text: 'a' } }, { body: { text: 'b' } }] }),
    })
    expect(response.status).toBe(202)
    const { exitCode, stdout, stderr } = await run(command, file, queue, broker.url)
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(stdout.match(/^completed$/gm)).toHaveLength(3)
    expect(stdout.match(/^outcome: .*$/gm)).toEqual(['outcome: succeeded {"shouted":"HELLO"}'])
  },
)

test('a refusal is printed, and the program fails', async () => {
  const { exitCode, stderr } = await run(process.execPath, 'raw-client.js', 'not a queue name', broker.url)
  expect(exitCode).toBe(1)
  expect(stderr).toContain('bad_message')
})
