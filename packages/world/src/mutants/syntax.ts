import { parseSync } from 'oxc-parser'

/** A node as the parser made it: ESTree, with offsets into the text. */
interface Raw {
  type: string
  start: number
  end: number
  [field: string]: unknown
}

/** What is in a field of a node. */
export type Part = string | Node | readonly Part[]

/**
 * A piece of a program in normal form. What differs only in layout, types, quotes, parentheses, or braces around a
 * single statement is the same. Two nodes are the same if their types and parts are.
 */
export interface Node {
  type: string
  /** By field. What is absent, false or empty is left out. */
  parts: Readonly<Record<string, Part>>
  parent: Node | undefined
  /** The field of the parent, and the index in it if that is a list. */
  field: string
  /** The range of the piece in the text. */
  start: number
  end: number
  /** The range with the parentheses and types around it. */
  outerStart: number
  outerEnd: number
  /** The range of a function's body. */
  body?: { start: number; end: number }
  /** The value of `{ name }`, which is `{ name: name }`. */
  isShorthand?: true
}

/** Nodes that exist only for the type checker or the reader. Their `expression` is meant. */
const TRANSPARENT = new Set([
  'ChainExpression',
  'ParenthesizedExpression',
  'TSAsExpression',
  'TSNonNullExpression',
  'TSSatisfiesExpression',
  'TSInstantiationExpression',
])

/** Fields that say where a node is, what its type is for the compiler, or how it is written. */
const LEFT_OUT = new Set([
  'type',
  'start',
  'end',
  'raw',
  'directive',
  'shorthand',
  'expression',
  'typeAnnotation',
  'returnType',
  'typeParameters',
  'typeArguments',
  'superTypeArguments',
  'implements',
  'accessibility',
  'readonly',
  'declare',
  'definite',
  'override',
])

/** Fields whose statement may have braces around it. */
const BRANCHES = new Set(['consequent', 'alternate', 'body'])
const BRANCHING = /^(If|For|ForIn|ForOf|While|DoWhile)Statement$/
const FUNCTION = /^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/

/** Throws if the text is no TypeScript. */
export function parse(text: string): Node {
  const { program, errors } = parseSync('module.ts', text, { sourceType: 'module' })
  if (errors[0] !== undefined) throw new SyntaxError(errors[0].message)
  return plain(program as unknown as Raw, undefined, '')
}

export function isNode(part: Part | undefined): part is Node {
  return typeof part === 'object' && !Array.isArray(part)
}

function isRaw(value: unknown): value is Raw {
  return typeof value === 'object' && value !== null && typeof (value as Raw).type === 'string'
}

function plain(outer: Raw, parent: Node | undefined, field: string): Node {
  let raw = outer
  for (;;) {
    if (TRANSPARENT.has(raw.type)) raw = raw.expression as Raw
    else if (isBraced(raw, parent, field)) raw = statementsOf(raw)[0] as Raw
    else break
  }
  const { type, start, end } = raw
  const parts: Record<string, Part> = {}
  const node: Node = { type, parts, parent, field, start, end, outerStart: outer.start, outerEnd: outer.end }
  if (type === 'Literal' || type === 'TemplateLiteral') {
    const text = textOf(raw)
    if (text !== undefined) return { ...node, type: 'Literal', parts: { value: text } }
  }
  if (type === 'TemplateElement') return { ...node, parts: { value: (raw.value as { raw: string }).raw } }
  for (const [name, value] of Object.entries(raw)) {
    if (LEFT_OUT.has(name) && !(name === 'expression' && isRaw(value))) continue
    if (name === 'optional' && !/^(Call|Member)Expression$/.test(type)) continue
    const part = partOf(value, name, raw, node)
    if (part !== undefined) parts[name] = part
  }
  if (FUNCTION.test(type)) codeBodyOf(raw, node, parts)
  return node
}

/** A block with one statement that is the branch of another. It is equal to that statement. */
function isBraced(raw: Raw, parent: Node | undefined, field: string): boolean {
  if (raw.type !== 'BlockStatement' || !BRANCHES.has(field) || !BRANCHING.test(parent?.type ?? '')) return false
  const [only, ...more] = statementsOf(raw)
  return only !== undefined && more.length === 0 && !/Declaration$/.test(only.type)
}

/** A semicolon that ends nothing is no statement. */
function statementsOf({ body }: Raw): Raw[] {
  return (body as Raw[]).filter(({ type }) => type !== 'EmptyStatement')
}

/** Undefined for a template with substitutions. */
function textOf(raw: Raw): string | undefined {
  if (raw.type === 'Literal') {
    const { value } = raw
    return typeof value === 'string' ? `'${value}` : typeof value === 'number' ? String(value) : String(raw.raw)
  }
  const [quasi, ...more] = raw.quasis as { value: { cooked: string } }[]
  return quasi !== undefined && more.length === 0 ? `'${quasi.value.cooked}` : undefined
}

function partOf(value: unknown, name: string, raw: Raw, node: Node): Part | undefined {
  if (value === undefined || value === null || value === false) return undefined
  if ((name === 'key' || name === 'property') && isRaw(value) && raw.computed !== true) return nameOf(value)
  if (isRaw(value)) {
    if (name === 'alternate' && value.type === 'BlockStatement' && statementsOf(value).length === 0) return undefined
    const child = plain(value, node, name)
    if (name === 'value' && raw.shorthand === true) child.isShorthand = true
    return child
  }
  if (!Array.isArray(value)) return String(value)
  const [only] = value
  const list =
    raw.type === 'SwitchCase' && value.length === 1 && isRaw(only) && only.type === 'BlockStatement'
      ? (only.body as Raw[])
      : (value as unknown[])
  const items = list
    .filter((item) => !isRaw(item) || item.type !== 'EmptyStatement')
    .map((item) => (isRaw(item) ? plain(item, node, name) : String(item)))
  return items.length === 0 ? undefined : items
}

/** The name of a member, whether or not it is written with quotes. */
function nameOf(key: Raw): string {
  if (key.type === 'PrivateIdentifier') return `#${String(key.name)}`
  return String(key.type === 'Identifier' ? key.name : key.value)
}

/** `=> x` and `=> { return x }` are the same. */
function codeBodyOf(raw: Raw, node: Node, parts: Record<string, Part>): void {
  const body = raw.body as Raw
  node.body = { start: body.start, end: body.end }
  if (body.type !== 'BlockStatement' || raw.type !== 'ArrowFunctionExpression') return
  const [only, ...more] = statementsOf(body)
  if (only?.type === 'ReturnStatement' && isRaw(only.argument) && more.length === 0)
    parts.body = plain(only.argument, node, 'body')
}

export function children(node: Node): Node[] {
  const found: Node[] = []
  for (const part of Object.values(node.parts)) {
    if (typeof part === 'string') continue
    if (isNode(part)) found.push(part)
    else for (const item of part) if (isNode(item)) found.push(item)
  }
  return found
}

/** The node and all that is in it. */
export function walk(node: Node): Node[] {
  const found = [node]
  for (let i = 0; i < found.length; i += 1) found.push(...children(found[i] as Node))
  return found
}

/** The list that contains the node; undefined if its field contains only the node. */
export function listOf(node: Node): readonly Node[] | undefined {
  const part = node.parent?.parts[node.field]
  return Array.isArray(part) ? part.filter(isNode) : undefined
}

export function isSame(a: Part, b: Part): boolean {
  if (typeof a === 'string' || typeof b === 'string') return a === b
  if (isNode(a) !== isNode(b)) return false
  if (!isNode(a))
    return a.length === (b as Part[]).length && a.every((item, i) => isSame(item, (b as Part[])[i] as Part))
  const other = b as Node
  const names = Object.keys(a.parts)
  return (
    a.type === other.type &&
    names.length === Object.keys(other.parts).length &&
    names.every((name) => name in other.parts && isSame(a.parts[name] as Part, other.parts[name] as Part))
  )
}
