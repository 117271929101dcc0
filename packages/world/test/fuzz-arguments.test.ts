import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { readArguments } from '../src/fuzz/arguments.ts'

test('without flags some fresh seeds are run, on all cores', () => {
  expect(readArguments([])).toMatchObject({ mode: 'fuzz', seeds: 300, seed: undefined, check: false })
})

test('a seed alone is replayed, with a number of seeds it is the first one', () => {
  expect(readArguments(['--seed', '5'])).toMatchObject({ mode: 'replay', seed: 5 })
  expect(readArguments(['--seed', '5', '--seeds', '9'])).toMatchObject({ mode: 'fuzz', seed: 5, seeds: 9 })
  expect(readArguments(['--mutants', '--seed', '5'])).toMatchObject({ mode: 'mutants', seed: 5, seeds: 1000 })
  expect(readArguments(['--speed'])).toMatchObject({ mode: 'speed', seeds: 10 })
  expect(readArguments(['--phenomena'])).toMatchObject({ mode: 'phenomena', seeds: 100 })
})

test.each([
  [['--seeds', '0'], '--seeds is a whole number from 1 to 100000000, not 0'],
  [['--seeds', 'many'], '--seeds is a whole number from 1 to 100000000, not many'],
  [['--seed', '-1'], ''],
  [['--seed', '1.5'], '--seed is a whole number from 0 to'],
  [['--threads', '0'], '--threads is a whole number from 1 to 256, not 0'],
  [['--sped'], '--sped'],
  [['--trace', 'f'], '--trace needs a single world'],
  [['--mutants', '--phenomena'], 'give only one of them'],
  [['--speed', '--phenomena'], 'give only one of them'],
  [['--only', 'x'], '--only needs --mutants'],
])('%j is refused', (args, message) => {
  expect(() => readArguments(args)).toThrow(message)
})

const main = fileURLToPath(new URL('../src/fuzz/main.ts', import.meta.url))

test('a bad flag ends the command with 2 and says what may be', () => {
  const { status, stderr, stdout } = spawnSync(process.execPath, [main, '--seeds', 'x'], { encoding: 'utf8' })
  expect(stderr).toContain('--seeds is a whole number')
  expect(stderr).toContain('usage: pnpm fuzz')
  expect(stdout).toBe('')
  expect(status).toBe(2)
})

test('help shows examples', () => {
  const { status, stdout } = spawnSync(process.execPath, [main, '--help'], { encoding: 'utf8' })
  expect(stdout).toContain('pnpm fuzz --seeds 10000 --check')
  expect(status).toBe(0)
})

test('it ends quietly with 141 when nobody reads its output any more', async () => {
  const child = spawn(process.execPath, [main, '--help'], { stdio: ['ignore', 'pipe', 'pipe'] })
  child.stdout.destroy()
  let told = ''
  child.stderr.on('data', (text) => {
    told += text
  })
  expect([await once(child, 'close'), told]).toEqual([[141, null], ''])
})
