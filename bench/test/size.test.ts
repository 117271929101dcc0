import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'

const directory = mkdtempSync(join(tmpdir(), 'sluice-size-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

test('every bundle that a browser downloads meets its target', () => {
  const json = join(directory, 'size.json')
  const script = join(import.meta.dirname, '..', 'src', 'size.ts')
  const table = execFileSync(process.execPath, [script, '--json', json, '--check'], { encoding: 'utf8' })
  const { figures } = JSON.parse(readFileSync(json, 'utf8')) as { figures: { name: string; gzipBytes: number }[] }
  expect(figures.map(({ name }) => name)).toEqual([
    'producer',
    'worker',
    'whole client',
    'client-browser',
    'tab, page',
    'tab, connection',
    'both, page',
    'tab, handlers',
    'protocol',
  ])
  for (const { name, gzipBytes } of figures) {
    expect(gzipBytes).toBeGreaterThan(0)
    expect(table).toContain(name)
  }
})
