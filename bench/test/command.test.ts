import { execFile } from 'node:child_process'
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

  test.each([
    [command, ['celing'], 'no bench is called celing'],
    [command, ['--quik'], "Unknown option '--quik'"],
    [tortureCommand, ['--rounds', 'many'], '--rounds is a whole number of at least 1, not many'],
  ])('exits 2 with the usage on a bad argument: %s %s', async (file, given, message) => {
    await expect(run(process.execPath, [file, ...given])).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining(message),
    })
  })
})
