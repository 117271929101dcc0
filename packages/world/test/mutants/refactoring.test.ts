import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { MUTANTS } from '../../src/mutants/catalogue.ts'
import { declarationsAt } from '../../src/mutants/declarations.ts'
import type { Mutant, PlantedPackage } from '../../src/mutants/mutant.ts'
import { mutated } from '../../src/mutants/mutate.ts'
import { SourceFile, sourcesOf } from '../../src/mutants/sources.ts'
import { isNode, isSame, type Node, parse, walk } from '../../src/mutants/syntax.ts'

const PACKAGES: readonly PlantedPackage[] = ['broker', 'client', 'engine', 'machines']
const root = fileURLToPath(new URL('../../../..', import.meta.url))
const copy = mkdtempSync(join(tmpdir(), 'sluice-refactoring-'))
afterAll(() => rmSync(copy, { recursive: true }))

/** The product as another formatter would have it. */
function reformatted(): ReadonlyMap<PlantedPackage, readonly SourceFile[]> {
  for (const name of PACKAGES) cpSync(join(root, 'packages', name, 'src'), join(copy, name, 'src'), { recursive: true })
  writeFileSync(
    join(copy, 'biome.json'),
    JSON.stringify({
      formatter: { indentStyle: 'tab', lineWidth: 60 },
      javascript: {
        formatter: {
          quoteStyle: 'double',
          quoteProperties: 'preserve',
          semicolons: 'always',
          trailingCommas: 'none',
          arrowParentheses: 'asNeeded',
          bracketSpacing: false,
        },
      },
    }),
  )
  const biome = join(root, 'node_modules', '@biomejs', 'biome', 'bin', 'biome')
  execFileSync(process.execPath, [biome, 'format', '--write', '.'], { cwd: copy, stdio: 'pipe' })
  return new Map(
    PACKAGES.map((name) => [
      name,
      sourcesOf(name).map(({ path }) => new SourceFile(path, readFileSync(join(copy, path), 'utf8'))),
    ]),
  )
}

/** Every function of a file in another file, the members of each class in another order, and strangers among them. */
function rearranged({ path, text, program }: SourceFile): SourceFile[] {
  const pieces = (program.parts.body as readonly Node[]).map((node) => {
    const code = text.slice(node.start, node.end)
    const inner = isNode(node.parts.declaration) ? node.parts.declaration : node
    return { code: withMembersReversed(node, code), isFunction: inner.type === 'FunctionDeclaration' }
  })
  const written = (isFunction: boolean) =>
    pieces.flatMap((piece) => (piece.isFunction === isFunction ? [piece.code] : []))
  return [
    new SourceFile(`${path}/rest.ts`, written(false).join('\n')),
    new SourceFile(`${path}/moved.ts`, ['function stranger() { return 0 }', ...written(true).reverse()].join('\n\n\n')),
  ]
}

function withMembersReversed(top: Node, code: string): string {
  let text = code
  for (const node of walk(top)) {
    if (node.type !== 'ClassBody') continue
    const members = (node.parts.body as readonly Node[]).map(
      ({ start, end }) => `${code.slice(start - top.start, end - top.start)};`,
    )
    const body = ['stranger() { return 0 }', ...members.reverse()].join('\n')
    text = `${code.slice(0, node.start - top.start)}{\n${body}\n}${code.slice(node.end - top.start)}`
  }
  return text
}

/** A mutant's function without the bug and with it. */
function effectOf(mutant: Mutant, files: readonly SourceFile[]): { was: Node[]; is: Node[] } {
  const { file, text } = mutated(mutant, files)
  const first = [...text].findIndex((letter, i) => letter !== file.text[i])
  // The last that begins before the change: nothing but it need be parsed.
  const top = (file.program.parts.body as readonly Node[]).findLast(({ start }) => start <= first) as Node
  const code = text.slice(top.start, top.end + text.length - file.text.length)
  const declared = (program: Node) => declarationsAt(mutant.in, program).flatMap(({ nodes }) => nodes)
  return { was: declared(file.program), is: declared(parse(code)) }
}

let products: ReadonlyMap<PlantedPackage, readonly SourceFile[]>
beforeAll(() => {
  products = reformatted()
}, 60_000)

test.each(PACKAGES)(
  'the %s in another layout, with its functions in other files and its methods in another order, has the same mutants',
  { timeout: 60_000 },
  (name) => {
    const [before, after] = [sourcesOf(name), (products.get(name) ?? []).flatMap(rearranged)]
    expect(after.filter(({ text }) => before.some((file) => file.text === text))).toEqual([])
    for (const mutant of MUTANTS) {
      if (mutant.package !== name) continue
      const here = effectOf(mutant, before)
      expect(isSame(here.was, here.is), mutant.name).toBe(false)
      expect(isSame(here.is, effectOf(mutant, after).is), mutant.name).toBe(true)
    }
  },
)
