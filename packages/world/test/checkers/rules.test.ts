import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const root = new URL('../../../../', import.meta.url)
const checkersDirectory = new URL('packages/world/src/checkers/', root)

test('each rule about clients and about the whole is judged by a checker', () => {
  const rules = [...readFileSync(new URL('SPEC.md', root), 'utf8').matchAll(/^- \*\*\[((?:CLIENT|WORLD)-\d+)\]/gm)]
  const sources = readdirSync(checkersDirectory).map((name) => readFileSync(new URL(name, checkersDirectory), 'utf8'))
  expect(rules.length).toBeGreaterThan(10)
  expect(rules.map(([, id]) => id).filter((id) => !sources.some((source) => source.includes(`'${id}'`)))).toEqual([])
})
