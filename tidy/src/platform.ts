import { leafFiles, neutralDirectories } from './rooms.ts'
import { children, isNode, moduleReferences, type Node, parse, stringOf } from './syntax.ts'
import { type Finding, lineAt, type SourceFile } from './tree.ts'

const rule = 'platform'

/** Names that mean the platform wherever they are not declared in the file. */
const bannedGlobals = new Set(
  `setTimeout setInterval setImmediate clearTimeout clearInterval clearImmediate queueMicrotask
  crypto performance process Buffer require globalThis self global
  window document navigator location history localStorage sessionStorage indexedDB caches screen
  fetch XMLHttpRequest WebSocket EventSource Worker SharedWorker BroadcastChannel MessageChannel
  requestAnimationFrame cancelAnimationFrame requestIdleCallback addEventListener removeEventListener
  alert Deno Bun`.split(/\s+/),
)

/** Members of neutral globals that read a clock or a random source, or start a timer. */
const bannedMembers = new Set(['Date.now', 'Math.random', 'AbortSignal.timeout'])

const bannedModules =
  /^(node:|bun:|cloudflare:|ws$|ws\/|fs$|fs\/|net$|http$|https$|os$|path$|crypto$|timers$|timers\/|worker_threads$|events$)/

/** Type syntax names things without touching them; only these wrap an expression that runs. */
const typeWrappers = new Set([
  'TSAsExpression',
  'TSSatisfiesExpression',
  'TSNonNullExpression',
  'TSInstantiationExpression',
])

const isFunction = (node: Node) => /^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(node.type)

function bindNames(pattern: unknown, into: Set<string>): void {
  if (!isNode(pattern)) return
  switch (pattern.type) {
    case 'Identifier':
      into.add(pattern.name as string)
      break
    case 'ObjectPattern':
      for (const property of pattern.properties as Node[]) bindNames(property.value ?? property.argument, into)
      break
    case 'ArrayPattern':
      for (const element of pattern.elements as unknown[]) bindNames(element, into)
      break
    case 'AssignmentPattern':
      bindNames(pattern.left, into)
      break
    case 'RestElement':
      bindNames(pattern.argument, into)
  }
}

/** What a node's own scope declares. `var` is treated as a block's: the format has no use for it. */
function declaredBy(node: Node): Set<string> {
  const names = new Set<string>()
  const params = node.params
  if (isFunction(node)) {
    const list = Array.isArray(params) ? params : (((params as Node | undefined)?.items as unknown[] | undefined) ?? [])
    for (const param of list) bindNames(param, names)
    if (node.type === 'FunctionExpression') bindNames(node.id, names)
  }
  if (node.type === 'CatchClause') bindNames(node.param, names)
  const heads = [node.init, node.left].filter(isNode).filter(() => node.type.startsWith('For'))
  const body = node.type === 'Program' || node.type === 'BlockStatement' ? (node.body as Node[]) : []
  const cases = node.type === 'SwitchStatement' ? (node.cases as Node[]).flatMap((c) => c.consequent as Node[]) : []
  for (const outer of [...heads, ...body, ...cases]) {
    const inner = outer.type.startsWith('Export') && isNode(outer.declaration) ? outer.declaration : outer
    if (inner.type === 'VariableDeclaration')
      for (const declarator of inner.declarations as Node[]) bindNames(declarator.id, names)
    else if (inner.type === 'FunctionDeclaration' || inner.type === 'ClassDeclaration') bindNames(inner.id, names)
    else if (inner.type === 'ImportDeclaration')
      for (const specifier of inner.specifiers as Node[]) bindNames(specifier.local, names)
  }
  return names
}

function isDate(node: unknown): boolean {
  return isNode(node) && node.type === 'Identifier' && node.name === 'Date'
}

/** The name of a read property, written either way. */
function propertyOf(member: Node): string | undefined {
  const property = member.property as Node
  return member.computed === true ? stringOf(property) : (property.name as string | undefined)
}

/** Fields of a node that hold a name which is not a reference to a variable. */
function namingFields(node: Node): string[] {
  const fixed = node.computed !== true
  if (node.type === 'MemberExpression') return fixed ? ['property'] : []
  if (node.type === 'Property') return fixed ? ['key'] : []
  if (/^(MethodDefinition|PropertyDefinition|AccessorProperty)$/.test(node.type)) return fixed ? ['key'] : []
  if (/^(ImportDeclaration|LabeledStatement|BreakStatement|ContinueStatement|MetaProperty)$/.test(node.type))
    return ['specifiers', 'label', 'meta', 'property']
  if (node.type === 'ExportSpecifier') return ['exported']
  return []
}

export function platformUses(program: Node): { offset: number; what: string }[] {
  const found: { offset: number; what: string }[] = []
  const visit = (node: Node, scopes: Set<string>[]): void => {
    if (node.type.startsWith('TS')) {
      if (typeWrappers.has(node.type) && isNode(node.expression)) visit(node.expression, scopes)
      return
    }
    if ((node.type === 'ExportNamedDeclaration' || node.type === 'ImportDeclaration') && node.source) return
    const inner = [...scopes, declaredBy(node)]
    const shadowed = (name: string) => inner.some((scope) => scope.has(name))
    if (node.type === 'Identifier') {
      const name = node.name as string
      if (bannedGlobals.has(name) && !shadowed(name)) found.push({ offset: node.start, what: name })
    } else if (node.type === 'MemberExpression') {
      const object = node.object as Node
      const path = `${object.name as string}.${propertyOf(node)}`
      if (object.type === 'Identifier' && bannedMembers.has(path)) {
        if (!shadowed(object.name as string)) found.push({ offset: node.start, what: path })
      }
    } else if (node.type === 'NewExpression' && isDate(node.callee) && (node.arguments as unknown[]).length === 0) {
      if (!shadowed('Date')) found.push({ offset: node.start, what: 'new Date()' })
    } else if (node.type === 'CallExpression' && isDate(node.callee)) {
      if (!shadowed('Date')) found.push({ offset: node.start, what: 'Date()' })
    } else if (node.type === 'VariableDeclarator' && isNode(node.id) && node.id.type === 'ObjectPattern') {
      const from = node.init
      if (isNode(from) && from.type === 'Identifier' && /^(Date|Math)$/.test(from.name as string)) {
        for (const property of node.id.properties as Node[]) {
          const key = isNode(property.key) ? property.key.name : undefined
          if (key === 'now' || key === 'random') found.push({ offset: property.start, what: `${from.name}.${key}` })
        }
      }
    }
    const naming = new Set(namingFields(node).flatMap((field) => node[field]))
    for (const child of children(node)) if (!naming.has(child)) visit(child, inner)
  }
  visit(program, [])
  return found
}

/** Neutral code reads no clock, no random source, no socket and no disk by itself. */
export function checkPlatform(files: SourceFile[]): Finding[] {
  const findings: Finding[] = []
  for (const file of files) {
    const { path, text } = file
    if (!/\.tsx?$/.test(path) || leafFiles.includes(path)) continue
    if (!neutralDirectories.some((directory) => path.startsWith(directory))) continue
    const program = parse(file)
    for (const { offset, what } of platformUses(program))
      findings.push({ path, line: lineAt(text, offset), rule, message: `${what} belongs in a leaf file` })
    for (const { specifier, offset } of moduleReferences(program))
      if (bannedModules.test(specifier))
        findings.push({
          path,
          line: lineAt(text, offset),
          rule,
          message: `the module ${specifier} belongs in a leaf file`,
        })
  }
  return findings
}
