import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { Running } from './processes.ts'

const root = join(import.meta.dirname, '..', '..', '..')
const directory = mkdtempSync(join(tmpdir(), 'sluice-modules-'))
afterAll(() => rmSync(directory, { recursive: true }))

const BAD = 'export default {\n  a: async () => {\n    const x = ;\n  },\n}\n'
const MODULES: Record<string, string> = {
  'bad.mjs': BAD,
  'bad.ts': BAD,
  'bad.cjs': 'module.exports = {\n  a: () => {\n    const x = ;\n  } }\n',
  'parent.mjs':
    "import { readFileSync } from 'node:fs'\nimport './bad.mjs'\nexport default { a: () => readFileSync }\n",
  'enum.ts': '\n\nenum A { B }\nexport default { a: () => A.B }\n',
  'missing.mjs': "\n\nimport { none } from './fine.mjs'\nexport default { a: none }\n",
  'fine.mjs': 'export const some = 1\n',
  'throws.mjs': '\n\nundefinedThing()\nexport default {}\n',
  'no-package.mjs': "import 'no-such-package'\n",
}
for (const [name, source] of Object.entries(MODULES)) writeFileSync(join(directory, name), source)

/** Why a module does not load, outside of the loader of this test. */
async function failureOf(name: string): Promise<string> {
  const program = join(directory, 'load.mjs')
  const loader = new URL('../src/load-handlers.ts', import.meta.url).href
  writeFileSync(
    program,
    `import { loadHandlers } from '${loader}'\nawait loadHandlers(process.argv[2]).catch((error) => console.log(error.message))\n`,
  )
  const running = new Running(relative(root, program), [join(directory, name)])
  await running.exited
  return running.output
}

test.each([
  ['bad.mjs', "Unexpected token ';'", 'bad.mjs'],
  ['bad.ts', 'Expression expected', 'bad.ts'],
  ['bad.cjs', "Unexpected token ';'", 'bad.cjs'],
  ['parent.mjs', "Unexpected token ';'", 'bad.mjs'],
  ['enum.ts', 'TypeScript enum is not supported in strip-only mode', 'enum.ts'],
  ['missing.mjs', "The requested module './fine.mjs' does not provide an export named 'none'", 'missing.mjs'],
  ['throws.mjs', 'undefinedThing is not defined', 'throws.mjs'],
])('why %s does not load is said with file and line', async (name, message, at) => {
  const text = await failureOf(name)
  expect(text).toContain(`${join(directory, name)} does not load: ${message}, at ${join(directory, at)}:3\n`)
  if (name.includes('bad') || name === 'parent.mjs') expect(text).toMatch(/^ {4}const x = ;\n {14}\^$/m)
})

test('what is not found is said without a line of Node itself', async () => {
  expect(await failureOf('no-package.mjs')).toMatch(
    /does not load: Cannot find package 'no-such-package' imported from \S+\n/,
  )
})
