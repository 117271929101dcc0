import { declarationsAt, declaredPaths, type Named, pathOf } from './declarations.ts'
import type { Mutant } from './mutant.ts'
import { findPattern, type Match, readPattern } from './pattern.ts'
import type { SourceFile } from './sources.ts'
import { isNode, type Node, walk } from './syntax.ts'

/** Where a mutant is planted. */
export interface Anchor {
  file: SourceFile
  function: Named
  /** Undefined if the whole function is meant. */
  match: Match | undefined
}

/** How many names a message offers for one that is missing. */
const NEARBY_MAX = 3

function pieceOf(mutant: Mutant): string | undefined {
  if ('find' in mutant) return mutant.find
  if ('drop' in mutant) return mutant.drop
  if ('negate' in mutant) return mutant.negate
  if ('before' in mutant) return mutant.before
  return 'after' in mutant ? mutant.after : undefined
}

/**
 * The one place in the package's files that the mutant names.
 * @throws Error that says what is missing or occurs twice, and what is closest to it
 */
export function anchorOf(mutant: Mutant, files: readonly SourceFile[]): Anchor {
  const fail = (what: string): never => {
    throw new Error(`mutant "${mutant.name}": ${what}`)
  }
  const [outermost = ''] = mutant.in.split('.')
  const functions = files
    // A file that does not contain the name need not be parsed.
    .filter(({ text }) => text.includes(outermost))
    .flatMap((file) => declarationsAt(mutant.in, file.program).map((named) => ({ file, function: named })))
  const code = pieceOf(mutant)
  const pieces = code === undefined ? undefined : readPattern(code)
  if (functions.length === 0) return fail(missingFunction(mutant, files, pieces))
  if (pieces === undefined) {
    const [only, ...more] = functions
    if (more.length > 0) return fail(`${mutant.in} is there ${functions.length} times: ${placesOf(functions)}`)
    return { ...(only as (typeof functions)[number]), match: undefined }
  }
  // The same piece may be reached twice if cases fall through. It is still one piece.
  const seen = new Set<Node>()
  const anchors = functions
    .flatMap((one) => findPattern(pieces, one.function.nodes).map((match) => ({ ...one, match })))
    .filter(({ match: { nodes } }) => !seen.has(nodes[0] as Node) && seen.add(nodes[0] as Node))
  const [only, ...more] = anchors
  if (only === undefined) return fail(missingPiece(mutant, code as string, pieces, functions, files))
  if (more.length > 0)
    return fail(
      `\`${code}\` is there ${anchors.length} times in ${mutant.in}: ${anchors
        .map(({ file, match }) => placeOf(file, match.nodes[0] as Node))
        .join(', ')}`,
    )
  return only
}

function placeOf({ path, text }: SourceFile, { start }: Node): string {
  return `${path}:${text.slice(0, start).split('\n').length}`
}

function placesOf(functions: readonly Anchor[] | readonly Omit<Anchor, 'match'>[]): string {
  return functions.map(({ file, function: { nodes } }) => placeOf(file, nodes[0] as Node)).join(', ')
}

function missingFunction(mutant: Mutant, files: readonly SourceFile[], pieces: readonly Node[] | undefined): string {
  const nearby = files
    .flatMap((file) => declaredPaths(file.program))
    .map((path) => ({ path, likeness: likenessOf(lettersOf(path), lettersOf(mutant.in)) }))
    .sort((a, b) => b.likeness - a.likeness)
    .slice(0, NEARBY_MAX)
    .map(({ path }) => path)
  return `the package ${mutant.package} has no ${mutant.in}; closest are ${nearby.join(', ')}${elsewhere(pieces, files)}`
}

function missingPiece(
  mutant: Mutant,
  code: string,
  pieces: readonly Node[],
  functions: readonly Omit<Anchor, 'match'>[],
  files: readonly SourceFile[],
): string {
  const words = wordsOf(pieces)
  const [closest] = functions
    .flatMap(({ file, function: { nodes } }) =>
      nodes
        .flatMap((top) => walk(top))
        .filter(({ type }) => type === pieces[0]?.type)
        .map((node) => ({ file, node, likeness: likenessOf(wordsOf([node]), words) })),
    )
    .sort((a, b) => b.likeness - a.likeness)
  const hint =
    closest === undefined
      ? ''
      : `; closest is \`${closest.file.text.slice(closest.node.start, closest.node.end).replaceAll(/\s+/g, ' ')}\`, ` +
        placeOf(closest.file, closest.node)
  return `\`${code}\` is not in ${mutant.in}, ${placesOf(functions)}${hint}${elsewhere(pieces, files)}`
}

/** Where the piece has moved, if it is in the package at all. */
function elsewhere(pieces: readonly Node[] | undefined, files: readonly SourceFile[]): string {
  if (pieces === undefined) return ''
  const places = files.flatMap((file) =>
    findPattern(pieces, [file.program]).map(({ nodes }) => {
      const node = nodes[0] as Node
      return `${pathOf(node)}, ${placeOf(file, node)}`
    }),
  )
  return places.length === 0 ? '' : `; the piece is in ${places.slice(0, NEARBY_MAX).join(', and in ')}`
}

function lettersOf(name: string): string[] {
  const text = name.toLowerCase()
  return Array.from({ length: Math.max(text.length - 1, 1) }, (_, i) => text.slice(i, i + 2))
}

function wordsOf(nodes: readonly Node[]): string[] {
  return nodes.flatMap((top) =>
    walk(top).flatMap((node) => [
      node.type,
      ...Object.values(node.parts).filter((part) => typeof part === 'string' && !isNode(part)),
    ]),
  ) as string[]
}

/** The similarity of two bags, from 0 to 1 (the Sørensen–Dice coefficient). */
function likenessOf(a: readonly string[], b: readonly string[]): number {
  const left = new Map<string, number>()
  for (const item of a) left.set(item, (left.get(item) ?? 0) + 1)
  let common = 0
  for (const item of b) {
    const count = left.get(item) ?? 0
    if (count === 0) continue
    left.set(item, count - 1)
    common += 1
  }
  return (2 * common) / (a.length + b.length)
}
