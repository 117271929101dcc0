import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { runCommandLine } from '../src/program.ts'

// In this process: nothing here gets as far as a broker, and other tests start the program itself.

let out: string
let err: string
beforeEach(() => {
  out = ''
  err = ''
  vi.stubEnv('NO_COLOR', '1')
  vi.stubEnv('SLUICE_URL', 'ws://127.0.0.1:9')
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += text
    return true
  })
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    err += text
    return true
  })
})
afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
})

const sluice = (args: readonly string[]) => runCommandLine(['node', 'sluice', ...args])

test.each([
  [['submit', 'double', 'hello'], /not JSON: hello\n.*'"hello"'/],
  [['submit', 'double', '1', '--priority', '10'], /--priority must be a whole number from 0 to 9/],
  [['submit', 'double', '1', '--file', 'x'], /not both/],
  [['submit', 'no name', '1'], /"no name" is no queue name/],
  [['submit', 'double', '1', '--id', '7'], /"7" is no task id/],
  [['status', '7'], /"7" is no task id/],
  [['dead', 'list', '--after', '7'], /"7" is no task id/],
  [['dead', 'list', '--queue', 'no name'], /"no name" is no queue name/],
  [['dead', 'redrive', '7'], /"7" is no task id/],
  [['dead', 'redrive'], /by id, or all of a queue/],
  [['worker', './none.ts'], /no module of handlers/],
  [['worker', './tasks.mjs', '--log-level', 'loud'], /Allowed choices are trace, debug/],
  [
    ['worker', './tasks.mjs', '--threads', '2', '--concurrency', '4'],
    /--threads.* cannot be used with .*--concurrency/,
  ],
  [['worker', './tasks.mjs', '--threads', '257'], /--threads must be a whole number from 0 to 256/],
  [['quues'], /Did you mean queues/],
  [['queues', '--url', 'localhost'], /is no address of a broker/],
])('%j is a mistake of use: exit code 2', async (args, message) => {
  const code = await sluice(args)
  expect(err).toMatch(message)
  expect({ code, out }).toEqual({ code: 2, out: '' })
})

test.each([
  ...['', 'broker', 'worker', 'submit', 'status', 'cancel', 'list', 'purge', 'queues', 'workers', 'watch', 'tail'],
  ...['backup', 'doctor', 'completion', 'dead', 'dead list', 'dead redrive', 'dead purge'],
  ...['token mint', 'token inspect', 'token verify'],
])('the help of every command has examples and the exit codes: %s', async (command) => {
  const code = await sluice([...command.split(' ').filter(Boolean), '--help'])
  expect(out.split('\n').filter((line) => line.length > 80)).toEqual([])
  expect(out).toMatch(/Examples:\n {2}\$ .*sluice [\s\S]*Exit codes:/)
  expect(code).toBe(0)
})
