import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { delimiter, join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { Sandbox } from './processes.ts'

const root = join(import.meta.dirname, '..', '..', '..')
const page = readFileSync(join(root, 'README.md'), 'utf8')

/** The code blocks below a heading. */
function blocks(heading: string, language: string): string[] {
  const section = page.split(/^#{2,3} /m).find((text) => text.startsWith(`${heading}\n`))
  const found = (section ?? '').matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\``, 'gm'))
  return [...found].map(([, text]) => text as string)
}
const lines = (heading: string) =>
  blocks(heading, 'sh')
    .flatMap((block) => block.trim().split('\n'))
    .map((line) => line.replace(/ {2,}#.*/, ''))

const sandbox = new Sandbox()
let port: number
let env: Record<string, string>
const left: (() => Promise<unknown>)[] = []

/** What a person types, with the alias that the page gives and a port that is free. */
function typed(line: string) {
  const child = spawn('bash', ['-c', line.replaceAll('7331', String(port))], {
    cwd: sandbox.directory,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let out = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, out, err }))
  left.push(async () => {
    if (child.exitCode === null && child.signalCode === null) process.kill(-(child.pid as number), 'SIGKILL')
    await ended
  })
  return { ended, output: () => out + err }
}
const says = (running: ReturnType<typeof typed>, pattern: RegExp) =>
  vi.waitFor(() => expect(running.output()).toMatch(pattern), { timeout: 15_000 })

beforeAll(async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  port = (server.address() as { port: number }).port
  await new Promise((resolve) => server.close(resolve))
  const bin = join(sandbox.directory, 'bin')
  mkdirSync(bin)
  const command = join(import.meta.dirname, '..', 'src', 'main.ts')
  writeFileSync(join(bin, 'sluice'), `#!/bin/sh\nexec "${process.execPath}" "${command}" "$@"\n`)
  chmodSync(join(bin, 'sluice'), 0o755)
  env = {
    PATH: [bin, process.env.PATH].join(delimiter),
    SLUICE_PORT: String(port),
    SLUICE_URL: `ws://127.0.0.1:${port}`,
    NO_COLOR: '1',
  }
  // The page says to save modules in the folder of the repository, where packages are found.
  symlinkSync(join(root, 'node_modules'), join(sandbox.directory, 'node_modules'))
  const [line] = lines('To run a broker')
  await says(typed(line as string), /"msg":"listening"/)
  const [module] = blocks('To write a worker', 'ts')
  writeFileSync(join(sandbox.directory, '.sluice', 'greet.ts'), module as string)
})
afterAll(async () => {
  for (const end of left) await end()
  await sandbox.end()
})

test('README: a worker of the module that the page shows greets', async () => {
  const [work, submit, nobody, ...more] = lines('To write a worker')
  expect(more).toEqual([])
  await says(typed(work as string), /"msg":"working"/)
  expect(await typed(submit as string).ended).toEqual({ code: 0, out: '"hello Ada"\n', err: '' })
  const dead = await typed(nobody as string).ended
  expect(dead).toMatchObject({ code: 1, err: expect.stringContaining('dead: there is nobody to greet') })
  const [, id] = /(\S+) dead/.exec(dead.err) ?? []
  expect((await typed(`sluice status ${id}`).ended).out).toMatch(/^attempts +1$/m)
})

test('README: the lines for a shell do what they say', async () => {
  const [many, delayed, queues, ...more] = lines('From a shell')
  expect(more).toEqual([])
  const { code, out } = await typed(many as string).ended
  expect(code).toBe(0)
  const results = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).result)
  expect(results.sort()).toEqual(Array.from({ length: 20 }, (_, index) => `hello number ${index + 1}`).sort())
  expect((await typed(delayed as string).ended).code).toBe(0)
  expect(JSON.parse((await typed(queues as string).ended).out)).toMatchObject({
    queues: [{ name: 'greet', delayed: 1, workers: 1 }],
  })
})

test('README: the lines for HTTP submit a task and wait for it', async ({ skip }) => {
  if (spawnSync('curl', ['--version']).status !== 0) skip('there is no curl here')
  const [submit, wait, ...more] = lines('From any other language')
  expect(more).toEqual([])
  const id = '01890a5d-ac96-774b-bcce-b302099a8057'
  for (let round = 0; round < 2; round++) {
    const { out } = await typed(submit as string).ended
    expect(JSON.parse(out)).toEqual({ tasks: [{ id, accepted: true }] })
  }
  const { out } = await typed(wait as string).ended
  expect(JSON.parse(out)).toMatchObject({ id, state: 'succeeded', attempts: 1, result: 'hello Ada' })
})

test('README: the commands that look, look', async () => {
  const [photos, alias, queues, watch, tail, dead, doctor, ...more] = lines('To see it work')
  expect(more).toEqual([])
  // Run by the example's own test; here no more than that both names exist.
  const example = JSON.parse(readFileSync(join(root, 'examples', 'photo-resize', 'package.json'), 'utf8'))
  expect(photos).toBe(`npx -y pnpm@12 --filter ${example.name} submit`)
  expect(example.scripts).toHaveProperty('submit')
  expect(alias).toBe("alias sluice='npx -y pnpm@12 sluice'")
  expect((await typed(queues as string).ended).out).toMatch(/^QUEUE .*\ngreet /)
  await says(typed(watch as string), /^\S+Z greet ready=/)
  await says(typed(tail as string), /Waiting for outcomes/)
  expect(await typed(doctor as string).ended).toMatchObject({ code: 0, out: expect.stringMatching(/^ok +websocket /m) })
  expect(await typed(dead as string).ended).toMatchObject({
    code: 0,
    out: expect.stringContaining('there is nobody to greet'),
  })
})

test('README: no line for a shell is left that nothing has run', () => {
  const all = [...page.matchAll(/^```sh\n([\s\S]*?)^```/gm)].flatMap(([, text]) => (text as string).trim().split('\n'))
  const run = ['To see it work', 'To write a worker', 'From a shell', 'From any other language', 'To run a broker']
  const seen = new Set(run.flatMap(lines))
  const others = all.map((line) => line.replace(/ {2,}#.*/, '')).filter((line) => !seen.has(line))
  expect(others).toEqual([
    'npx -y pnpm@12 dev',
    'npx -y pnpm@12 test',
    // The consumer test packs and installs the packages.
    'npx -y pnpm@12 tarballs',
    'cd ../my-project && npm install ../sluice/dist/*.tgz',
  ])
})
