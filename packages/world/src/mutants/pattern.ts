import { isNode, isSame, type Node, type Part, parse, walk } from './syntax.ts'

/** What each `$name` matched, by name; under `…` what that matched. */
export type Captures = ReadonlyMap<string, readonly Node[]>

/** A match of a pattern: adjacent nodes, or a single node. */
export interface Match {
  nodes: readonly Node[]
  captures: Captures
}

/** How `…` is spelled for the parser. */
const REST = '$$'

/** The contexts that a piece of code can occur in, the usual ones first, and how to reach the piece there. */
const SURROUNDINGS: readonly { before: string; after: string; piecesOf: (body: Node[]) => Node[] | undefined }[] = [
  {
    before: 'class _ { async _() { (',
    after: '\n) } }',
    piecesOf: ([only]) => listed(only?.parts.expression),
  },
  {
    before: 'class _ { async _() {',
    after: '\n} }',
    // `name: value` is meant as a property, not a label.
    piecesOf: (body) => (body.some(({ type }) => type === 'LabeledStatement') ? undefined : body),
  },
  {
    before: 'class _ { async _() { ({',
    after: '\n}) } }',
    piecesOf: ([only]) => (isNode(only?.parts.expression) ? listed(only.parts.expression.parts.properties) : undefined),
  },
  {
    before: 'class _ { async _() { switch (_) {',
    after: '\n} } }',
    piecesOf: ([only]) => listed(only?.parts.cases),
  },
]

function listed(part: Part | undefined): Node[] {
  return part === undefined || typeof part === 'string' ? [] : isNode(part) ? [part] : part.filter(isNode)
}

/**
 * The pieces of the code in a row: one expression, or statements, properties or cases. Throws if it is none of them.
 */
export function readPattern(code: string): readonly Node[] {
  const text = code.replaceAll('…', () => REST)
  for (const { before, after, piecesOf } of SURROUNDINGS) {
    let program: Node
    try {
      program = parse(`${before}${text}${after}`)
    } catch {
      continue
    }
    const body = walk(program).find(({ type }) => type === 'FunctionExpression')?.parts.body
    const pieces = isNode(body) ? piecesOf(listed(body.parts.body)) : undefined
    if (pieces !== undefined && pieces.length > 0) return pieces
  }
  throw new SyntaxError(`no expression, statement, property or case: ${code}`)
}

/** Every match of the pattern in the nodes. */
export function findPattern(pieces: readonly Node[], within: readonly Node[]): Match[] {
  const found: Match[] = []
  for (const top of within)
    for (const node of walk(top)) {
      if (pieces.length === 1) {
        const captures = fits(pieces[0] as Node, node, new Map())
        if (captures !== undefined) found.push({ nodes: [node], captures })
      } else
        for (const part of Object.values(node.parts)) {
          if (typeof part === 'string' || isNode(part)) continue
          part.forEach((_, from) => {
            const match = fitsRow(pieces, part.slice(from), new Map(), false)
            if (match !== undefined)
              found.push({ nodes: part.slice(from, from + match.length).filter(isNode), captures: match.captures })
          })
        }
    }
  return found
}

/** The name of a `$name`, which may also stand for a statement. */
function variableOf(piece: Node): string | undefined {
  const { name, expression, value } = piece.parts
  if (piece.type === 'Identifier') return typeof name === 'string' && name.startsWith('$') ? name : undefined
  if (piece.type === 'ExpressionStatement' && isNode(expression)) return variableOf(expression)
  // `{ … }` is read as a property of that name.
  if (piece.type === 'Property' && isNode(value) && value.isShorthand) return variableOf(value)
  return undefined
}

function fits(piece: Part, part: Part, captures: Captures): Captures | undefined {
  if (typeof piece === 'string' || typeof part === 'string') return piece === part ? captures : undefined
  if (!isNode(piece)) return isNode(part) ? undefined : fitsRow(piece, part, captures, true)?.captures
  if (!isNode(part)) return undefined
  const name = variableOf(piece)
  if (name !== undefined && name !== REST) {
    const before = captures.get(name)?.[0]
    if (before !== undefined) return isSame(before, part) ? captures : undefined
    return new Map(captures).set(name, [part])
  }
  if (piece.type !== part.type) return undefined
  let all: Captures | undefined = captures
  for (const field of new Set([...Object.keys(piece.parts), ...Object.keys(part.parts)])) {
    const [wanted, there] = [piece.parts[field], part.parts[field]]
    if (wanted !== undefined && there !== undefined) all = fits(wanted, there, all)
    // An empty list is left out, and `…` matches it.
    else if (Array.isArray(wanted)) all = fitsRow(wanted, [], all, true)?.captures
    else return undefined
    if (all === undefined) return undefined
  }
  return all
}

/** Whether a row begins with the pieces, and how many of its items they match. */
function fitsRow(
  pieces: readonly Part[],
  row: readonly Part[],
  captures: Captures,
  toItsEnd: boolean,
): { captures: Captures; length: number } | undefined {
  const [piece, ...morePieces] = pieces
  if (piece === undefined) return toItsEnd && row.length > 0 ? undefined : { captures, length: 0 }
  if (isNode(piece) && variableOf(piece) === REST) {
    for (let skipped = 0; skipped <= row.length; skipped += 1) {
      const after = fitsRow(morePieces, row.slice(skipped), captures, toItsEnd)
      if (after === undefined) continue
      const all = new Map(after.captures).set('…', row.slice(0, skipped).filter(isNode))
      return { captures: all, length: skipped + after.length }
    }
    return undefined
  }
  const [part, ...moreParts] = row
  if (part === undefined) return undefined
  const first = fits(piece, part, captures)
  if (first === undefined) return undefined
  const rest = fitsRow(morePieces, moreParts, first, toItsEnd)
  return rest === undefined ? undefined : { ...rest, length: rest.length + 1 }
}
