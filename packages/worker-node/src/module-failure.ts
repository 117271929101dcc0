import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The maximum number of modules that are searched for a syntax error. */
const LOOKS_MAX = 100
const CHECK_MS = 5000

/** `file:///a/b.mjs:3`, followed by the line of code with a mark under the fault. */
const EXCERPT = /^(\S.*):(\d+)\n([\s\S]*?\n[ \t]*\^+)/
/** A line of a stack that is in a file. */
const FRAME = /^ +at (?:.* \(|async )?(file:\/\/\S+?|\/\S+?|[A-Za-z]:\\\S+?):(\d+):\d+\)?$/gm
/** The directory of this package. From this frame on a stack does not concern the module. */
const OWN = new URL('.', import.meta.url).href
const RELATIVE_IMPORT = /(?:from|import)\s*\(?\s*['"](\.{1,2}\/[^'"\n]+)['"]/g

/**
 * Why a module does not load: with the file and the line if known, and with the code of the line if it has a syntax
 * error.
 */
export function moduleFailure(error: unknown, url: URL): string {
  if (!(error instanceof Error)) return String(error)
  const { message, stack = '' } = error
  const [, file, line, code] = EXCERPT.exec(stack) ?? (error instanceof SyntaxError ? unparsed(url) : undefined) ?? []
  if (file !== undefined) return `${message}, at ${pathOf(file)}:${line}\n${code}`
  const [, thrower, at] = stack.matchAll(FRAME).next().value ?? []
  return thrower === undefined || thrower.startsWith(OWN) ? message : `${message}, at ${pathOf(thrower)}:${at}`
}

/**
 * The first module with a syntax error, among this one and its imports. A SyntaxError does not tell which ES module it
 * is in.
 */
function unparsed(first: URL): RegExpExecArray | undefined {
  const urls = new Set([first.href])
  for (const href of urls) {
    let source: string
    try {
      source = readFileSync(new URL(href), 'utf8')
    } catch {
      continue
    }
    const check = spawnSync(process.execPath, ['--check', fileURLToPath(href)], { encoding: 'utf8', timeout: CHECK_MS })
    const found = EXCERPT.exec(check.stderr ?? '')
    if (found !== null) return found
    for (const [, specifier] of source.matchAll(RELATIVE_IMPORT))
      if (urls.size < LOOKS_MAX) urls.add(new URL(specifier as string, href).href)
  }
  return undefined
}

function pathOf(file: string): string {
  return file.startsWith('file:') ? fileURLToPath(file) : file
}
