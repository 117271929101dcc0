import { type Anchor, anchorOf } from './anchor.ts'
import type { Mutant } from './mutant.ts'
import { type Captures, readPattern } from './pattern.ts'
import type { Planted } from './plant.ts'
import { packagesUrl, type SourceFile, sourcesOf } from './sources.ts'
import { isNode, listOf, type Node } from './syntax.ts'

/** A file with a bug in it. */
export interface Mutated {
  file: SourceFile
  text: string
}

/** A range of the text, and its replacement. */
interface Edit {
  start: number
  end: number
  text: string
}

/** Expressions that mean the same wherever they are put. */
const SELF_CONTAINED = new Set([
  'ArrayExpression',
  'CallExpression',
  'Identifier',
  'Literal',
  'MemberExpression',
  'ThisExpression',
])
const STATEMENT = /Statement$|Declaration$/

/**
 * The module that a bug changes, as it is on this machine.
 * @throws Error if the bug matches no place in its package, or more than one
 */
export function mutatedModule(mutant: Mutant): Planted {
  const { file, text } = mutated(mutant, sourcesOf(mutant.package))
  return { url: new URL(file.path, packagesUrl).href, source: text }
}

/**
 * The one file that a bug changes.
 * @throws Error if the bug matches no place in the files, or more than one
 */
export function mutated(mutant: Mutant, files: readonly SourceFile[]): Mutated {
  const anchor = anchorOf(mutant, files)
  const { file } = anchor
  let { text } = file
  const edits = editsOf(mutant, anchor)
  for (const edit of edits.sort((a, b) => b.start - a.start || b.end - a.end))
    text = text.slice(0, edit.start) + edit.text + text.slice(edit.end)
  return { file, text }
}

function editsOf(mutant: Mutant, { file, function: named, match }: Anchor): Edit[] {
  if (match === undefined) return 'body' in mutant ? [wholeBody(named.nodes[0] as Node, mutant)] : []
  const { text } = file
  const first = match.nodes[0] as Node
  if ('drop' in mutant) return dropped(match.nodes, text)
  if ('negate' in mutant) return [negated(first, text)]
  if ('insert' in mutant) {
    const code = filled(mutant.insert, match.captures, text)
    return inserted(statementOf(first), code, 'before' in mutant)
  }
  return 'find' in mutant ? replaced(match.nodes, filled(mutant.put, match.captures, text), text) : []
}

/** The code with what its variables matched. */
function filled(code: string, captures: Captures, text: string): string {
  return code.replaceAll(/\$\w+|…/g, (name) => {
    const nodes = captures.get(name)
    const [first, last] = [nodes?.[0], nodes?.at(-1)]
    if (nodes === undefined) throw new SyntaxError(`what is put says ${name}, which is not in what is found`)
    if (first === undefined || last === undefined) return ''
    return name === '…' ? text.slice(first.outerStart, last.outerEnd) : operand(first, text)
  })
}

/** The text of an expression, for any position. */
function operand(node: Node, text: string): string {
  const code = text.slice(node.start, node.end)
  return SELF_CONTAINED.has(node.type) || STATEMENT.test(node.type) ? code : `(${code})`
}

function wholeBody(node: Node, { name, body }: Extract<Mutant, { body: string }>): Edit {
  const value = node.parts.value ?? node.parts.init
  const place = node.body ?? (isNode(value) ? value.body : undefined)
  if (place === undefined) throw new Error(`mutant "${name}": what it names is no function`)
  return { start: place.start, end: place.end, text: `{ ${body} }` }
}

/** The statement that a node is or is in. */
function statementOf(node: Node): Node {
  let one = node
  while (!STATEMENT.test(one.type) && one.parent !== undefined) one = one.parent
  return one
}

/** The expression statement that consists only of the node. */
function wholeStatement(node: Node): Node | undefined {
  return node.parent?.type === 'ExpressionStatement' ? node.parent : undefined
}

function negated(node: Node, text: string): Edit {
  return replacedExpression(node, `!(${text.slice(node.start, node.end)})`)
}

function replacedExpression(node: Node, code: string): Edit {
  const name = node.isShorthand ? `${String(node.parent?.parts.key)}: ` : ''
  return { start: node.start, end: node.end, text: `${name}${code}` }
}

function replaced(nodes: readonly Node[], code: string, text: string): Edit[] {
  const [first, last] = [nodes[0] as Node, nodes.at(-1) as Node]
  const statement = STATEMENT.test(first.type) ? first : wholeStatement(first)
  if (statement !== undefined)
    return listOf(statement) === undefined
      ? [{ start: statement.outerStart, end: statement.outerEnd, text: `{ ${code} }` }]
      : [{ start: statement.start, end: nodes.length > 1 ? last.outerEnd : statement.end, text: `;${code};` }]
  if (/^(Property|SpreadElement|SwitchCase)$/.test(first.type) || nodes.length > 1)
    return [{ start: first.outerStart, end: last.outerEnd, text: code }]
  if (SELF_CONTAINED.has((readPattern(code)[0] as Node).type)) return [replacedExpression(first, code)]
  const edits = [replacedExpression(first, `(${code})`)]
  // A statement that begins with a parenthesis would be read as a part of the one before it.
  const whole = statementOf(first)
  if (whole.type !== 'ExpressionStatement' || !/^\s*$/.test(text.slice(whole.start, first.start))) return edits
  if (listOf(whole) !== undefined) return [...edits, { start: whole.start, end: whole.start, text: ';' }]
  return [
    ...edits,
    { start: whole.start, end: whole.start, text: '{ ' },
    { start: whole.end, end: whole.end, text: ' }' },
  ]
}

function dropped(nodes: readonly Node[], text: string): Edit[] {
  const [found, last] = [nodes[0] as Node, nodes.at(-1) as Node]
  const statement = nodes.length === 1 ? wholeStatement(found) : undefined
  const first = statement ?? found
  const end = statement?.outerEnd ?? last.outerEnd
  if (STATEMENT.test(first.type))
    return [{ start: first.outerStart, end, text: listOf(first) === undefined ? '{}' : ';' }]
  const list = listOf(first)
  if (list !== undefined) {
    const next = list[list.indexOf(last) + 1]
    if (next !== undefined) return [{ start: first.outerStart, end: next.outerStart, text: '' }]
    const previous = list[list.indexOf(first) - 1]
    if (previous !== undefined && first.type !== 'SwitchCase') return [{ start: previous.outerEnd, end, text: '' }]
    const comma = /^\s*,/.exec(text.slice(end))?.[0].length ?? 0
    return [{ start: first.outerStart, end: end + comma, text: '' }]
  }
  const { parent } = first
  const other = parent?.parts[first.field === 'left' ? 'right' : 'left']
  if (parent === undefined || !/^(Logical|Binary)Expression$/.test(parent.type) || !isNode(other))
    throw new SyntaxError('only a statement, an item of a list, or one side of an operator can be dropped')
  return [replacedExpression(parent, operand(other, text))]
}

function inserted(statement: Node, code: string, isBefore: boolean): Edit[] {
  const { start, end, outerStart, outerEnd } = statement
  if (listOf(statement) !== undefined)
    return [isBefore ? { start, end: start, text: `;${code};` } : { start: end, end, text: `;${code};` }]
  return [
    { start: outerStart, end: outerStart, text: isBefore ? `{ ${code};` : '{ ' },
    { start: outerEnd, end: outerEnd, text: isBefore ? ' }' : `;${code} }` },
  ]
}
