import { children, isNode, listOf, type Node } from './syntax.ts'

/** Something that has a name in the text: a function, a class, a method, a constant, a property, a case. */
export interface Named {
  /** As a mutant names it: `Class.method`. */
  path: string
  /** One node. For a case, its whole control flow, which may lead through the cases after it. */
  nodes: readonly Node[]
}

/** Undefined for what has no name of its own. */
function nameOf(node: Node): string | undefined {
  const { id, key, test } = node.parts
  switch (node.type) {
    case 'FunctionDeclaration':
    case 'ClassDeclaration':
    case 'VariableDeclarator':
      return isNode(id) && typeof id.parts.name === 'string' ? id.parts.name : undefined
    case 'MethodDefinition':
    case 'PropertyDefinition':
    case 'Property':
      return typeof key === 'string' && !node.parts.computed ? key : undefined
    case 'SwitchCase':
      return isNode(test) && test.type === 'Literal' ? String(test.parts.value).replace(/^'/, '') : undefined
    default:
      return undefined
  }
}

function namedOf(node: Node, above: string): Named | undefined {
  const name = nameOf(node)
  if (name === undefined) return undefined
  const path = above === '' ? name : `${above}.${name}`
  if (node.type !== 'SwitchCase') return { path, nodes: [node] }
  const cases = listOf(node) ?? []
  const at = cases.indexOf(node)
  const end = cases.findIndex((other, i) => i >= at && other.parts.consequent !== undefined)
  return { path, nodes: cases.slice(at, end === -1 ? undefined : end + 1) }
}

/** The named things in a node, without those in them. */
function namedIn(node: Node, above: string): Named[] {
  return children(node).flatMap((child) => {
    const named = namedOf(child, above)
    return named === undefined ? namedIn(child, above) : [named]
  })
}

function inside({ path, nodes }: Named): Named[] {
  // A case that falls through includes the next one's text, not its name.
  const node = nodes[0] as Node
  return node.type === 'SwitchCase' ? nodes.flatMap((one) => namedIn(one, path)) : namedIn(node, path)
}

/** All that the path leads to: the outermost things of that name. */
export function declarationsAt(path: string, program: Node): Named[] {
  const [first, ...more] = path.split('.')
  let found = namedIn(program, '').filter((named) => named.path === first)
  for (const name of more) found = found.flatMap((named) => outermost(name, inside(named)))
  return found
}

function outermost(name: string, level: readonly Named[]): Named[] {
  for (let all = level; all.length > 0; all = all.flatMap(inside)) {
    const here = all.filter(({ path }) => path.endsWith(`.${name}`))
    if (here.length > 0) return here
  }
  return []
}

/** The paths of functions, classes and their members. */
export function declaredPaths(program: Node): string[] {
  return namedIn(program, '').flatMap((named) => {
    const isClass = named.nodes[0]?.type === 'ClassDeclaration'
    return [named.path, ...(isClass ? inside(named).map(({ path }) => path) : [])]
  })
}

/**
 * The path of the innermost named thing that contains a node. For a constant inside a function, that function's path.
 */
export function pathOf(node: Node): string {
  const names: string[] = []
  for (let one: Node | undefined = node; one !== undefined; one = one.parent) {
    const isOutermost =
      one.parent?.type === 'VariableDeclaration' && /^(Program|Export)/.test(one.parent.parent?.type ?? '')
    const name =
      one.type === 'Property' || (one.type === 'VariableDeclarator' && !isOutermost) ? undefined : nameOf(one)
    if (name !== undefined) names.unshift(name)
  }
  return names.join('.')
}
