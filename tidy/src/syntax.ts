import { parseSync } from 'oxc-parser'
import type { SourceFile } from './tree.ts'

/** An ESTree node, as far as the rules need to know it. */
export interface Node {
  type: string
  start: number
  end: number
  [field: string]: unknown
}

const parsed = new WeakMap<SourceFile, Node>()

/** Several rules look at the same file: it is parsed once. */
export function parse(file: SourceFile): Node {
  const known = parsed.get(file)
  if (known !== undefined) return known
  const { program, errors } = parseSync(file.path, file.text)
  if (errors.length > 0) throw new Error(`${file.path}: ${errors[0]?.message}`)
  parsed.set(file, program as unknown as Node)
  return program as unknown as Node
}

export function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as Node).type === 'string'
}

export function children(node: Node): Node[] {
  return Object.values(node).flatMap((value) =>
    Array.isArray(value) ? value.filter(isNode) : isNode(value) ? [value] : [],
  )
}

export function* walk(node: Node): Generator<Node> {
  yield node
  for (const child of children(node)) yield* walk(child)
}

export function stringOf(node: unknown): string | undefined {
  if (!isNode(node)) return undefined
  if (node.type === 'Literal' && typeof node.value === 'string') return node.value
  if (node.type !== 'TemplateLiteral') return undefined
  const quasis = node.quasis as { value: { cooked: string } }[]
  return quasis.map((quasi) => quasi.value.cooked).join('${}')
}

export interface ModuleReference {
  specifier: string
  offset: number
}

const referring = new Set([
  'ImportDeclaration',
  'ExportNamedDeclaration',
  'ExportAllDeclaration',
  'ImportExpression',
  'TSImportType',
])

/** Every module that a file names: static and dynamic imports, re-exports, `import('x')` types. */
export function moduleReferences(program: Node): ModuleReference[] {
  const found: ModuleReference[] = []
  for (const node of walk(program)) {
    if (!referring.has(node.type)) continue
    const specifier = stringOf(node.source)
    if (specifier !== undefined) found.push({ specifier, offset: node.start })
  }
  return found
}
