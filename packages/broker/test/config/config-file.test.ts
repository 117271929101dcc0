import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readConfigFile } from '../../src/config/config-file.ts'

let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sluice-config-'))
})
afterEach(() => {
  rmSync(directory, { recursive: true })
})

test('a named file is read', () => {
  const path = join(directory, 'mine.json')
  writeFileSync(path, '{"port": 5}')
  expect(readConfigFile(path)).toEqual({ name: path, content: { port: 5 } })
})

test('a named file that is missing stops the start', () => {
  expect(() => readConfigFile(join(directory, 'none.json'))).toThrow(/none\.json cannot be read: ENOENT/)
})

test('a file that is not JSON stops the start', () => {
  const path = join(directory, 'bad.json')
  writeFileSync(path, '{port: 5}')
  expect(() => readConfigFile(path)).toThrow(/bad\.json is not JSON/)
})
