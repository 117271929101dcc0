import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const run = promisify(execFile)
const command = join(import.meta.dirname, '..', 'src', 'main.ts')
const tortureCommand = join(import.meta.dirname, '..', 'src', 'torture', 'main.ts')

let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'bench-'))
})
afterAll(() => rmSync(directory, { recursive: true }))

describe('the bench command', () => {
  test('prints a table and writes figures with their configuration', async () => {
    const file = join(directory, 'figures.json')
    const { stdout } = await run(process.execPath, [command, 'ceiling', '--quick', '--json', file, '--check'])
    expect(stdout).toMatch(/relay, batch 100 +[\d,]+ tasks\/s/)
    const { configuration, figures } = JSON.parse(readFileSync(file, 'utf8'))
    expect(configuration.machine).toMatchObject({ cores: expect.any(Number), node: process.version, scale: 'quick' })
    expect(configuration.ceiling).toMatchObject({ 'body bytes': 100, 'in flight': 5000 })
    expect(figures).toHaveLength(3)
    expect(figures[2]).toEqual({
      bench: 'ceiling',
      name: 'relay, batch 100',
      unit: 'tasks/s',
      median: expect.any(Number),
      min: expect.any(Number),
      max: expect.any(Number),
      target: null,
      met: null,
    })
  })

  test('torture runs what is named, tells each round on standard error and writes figures to a file', {
    timeout: 120_000,
  }, async () => {
    const file = join(directory, 'torture.json')
    const args = ['--faults', 'kill-worker', '--rounds', '2', '--seed', '3', '--quick', '--json', file, '--check']
    const { stdout, stderr } = await run(process.execPath, [tortureCommand, ...args])
    expect(stderr.match(/^kill-worker \d\/2: /gm)).toEqual(['kill-worker 1/2: ', 'kill-worker 2/2: '])
    expect(stdout).toMatch(/accepted tasks lost +0 tasks +0 – 0 +≤ 0 +met/)
    const { configuration, figures, findings, notRun } = JSON.parse(readFileSync(file, 'utf8'))
    expect(configuration.machine).toMatchObject({ seed: 3, scale: 'quick', 'rounds of each fault': 2 })
    expect(figures).toContainEqual(expect.objectContaining({ fault: 'kill-worker', name: 'rounds', median: 2 }))
    expect([findings, notRun]).toEqual([[], []])
  })

  test('ends with 141 and no stack when nobody reads its output', async () => {
    const child = spawn(process.execPath, [command, 'ceiling', '--quick'], { stdio: ['ignore', 'pipe', 'pipe'] })
    child.stdout.destroy()
    let told = ''
    child.stderr.on('data', (text) => {
      told += text
    })
    expect(await once(child, 'close')).toEqual([141, null])
    expect(told).not.toContain('EPIPE')
  })

  test.each([
    [command, ['celing'], 'no bench is called celing'],
    [command, ['--quik'], "Unknown option '--quik'"],
    [tortureCommand, ['--faults', 'kill-broker,flood'], 'no fault is called flood'],
    [tortureCommand, ['--rounds', 'many'], '--rounds is a whole number of at least 1, not many'],
  ])('exits 2 with the usage on a bad argument: %s %s', async (file, given, message) => {
    await expect(run(process.execPath, [file, ...given])).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining(message),
    })
  })
})
