import { isNode, type Node, parse, stringOf, walk } from './syntax.ts'
import { type Finding, lineAt, type SourceFile } from './tree.ts'

const rule = 'rule-ids'

const specifications = ['SPEC.md', 'PROTOCOL.md']

interface Mention {
  id: string
  path: string
  line: number
}

/** A rule is a list item, a heading or a paragraph that begins with its id: `- **[LEASE-3]** ...`. */
export function definedIds({ path, text }: SourceFile): Mention[] {
  const found: Mention[] = []
  let fenced = false
  text.split('\n').forEach((content, index) => {
    if (/^\s*(```|~~~)/.test(content)) fenced = !fenced
    const match = /^\s*(?:(?:[-*]|\d+\.|#+)\s+\**|\*\*)\[([A-Z][A-Z0-9]*(?:-[A-Z0-9]+)*-\d+)\](?!\()/.exec(content)
    if (match?.[1] !== undefined && !fenced) found.push({ id: match[1], path, line: index + 1 })
  })
  return found
}

function calledName(callee: unknown): string | undefined {
  if (!isNode(callee)) return undefined
  if (callee.type === 'Identifier') return callee.name as string
  if (callee.type === 'MemberExpression') return calledName(callee.object)
  if (callee.type === 'CallExpression') return calledName(callee.callee)
  if (callee.type === 'TaggedTemplateExpression') return calledName(callee.tag)
  return undefined
}

/** Ids in the titles of tests and of the groups around them. */
export function quotedIds(file: SourceFile): Mention[] {
  const { path, text } = file
  const found: Mention[] = []
  for (const node of walk(parse(file))) {
    if (node.type !== 'CallExpression' || !/^(test|it|describe)$/.test(calledName(node.callee) ?? '')) continue
    const first = (node.arguments as Node[])[0]
    for (const [, id] of (stringOf(first) ?? '').matchAll(/\[([A-Z][A-Z0-9]*(?:-[A-Z0-9]+)*-\d+)\]/g))
      found.push({ id: id as string, path, line: lineAt(text, node.start) })
  }
  return found
}

/** Ids that a document puts in brackets, and those that the simulated world says to be broken. */
export function namedIds({ path, text }: SourceFile): Mention[] {
  const found: Mention[] = []
  if (/^docs\/.*\.md$/.test(path))
    for (const { index, 1: ids = '' } of text.matchAll(/\[((?:[A-Z][A-Z0-9]*-\d+(?:, )?)+)\](?!\()/g))
      for (const id of ids.split(', ')) found.push({ id, path, line: lineAt(text, index) })
  if (/^packages\/world\/src\/.*\.ts$/.test(path))
    for (const { index, 1: id = '' } of text.matchAll(/'([A-Z]+-\d+)'/g))
      found.push({ id, path, line: lineAt(text, index) })
  return found
}

/** Each rule is proved by a test that quotes it, and each rule that is quoted or named exists. */
export function checkRuleIds(files: SourceFile[]): Finding[] {
  const findings: Finding[] = []
  const defined = files.filter(({ path }) => specifications.includes(path)).flatMap(definedIds)
  const quoted = files.filter(({ path }) => /^(packages|bench|examples)\/.*\.tsx?$/.test(path)).flatMap(quotedIds)
  const known = new Map<string, Mention>()
  for (const { id, path, line } of defined) {
    const first = known.get(id)
    if (first !== undefined)
      findings.push({ path, line, rule, message: `[${id}] is defined twice; first at ${first.path}:${first.line}` })
    else known.set(id, { id, path, line })
  }
  const proved = new Set(quoted.map(({ id }) => id))
  for (const { id, path, line } of known.values())
    if (!proved.has(id)) findings.push({ path, line, rule, message: `no test title quotes [${id}]` })
  for (const { id, path, line } of [...quoted, ...files.flatMap(namedIds)])
    if (!known.has(id))
      findings.push({ path, line, rule, message: `[${id}] is in neither ${specifications.join(' nor ')}` })
  return findings
}
