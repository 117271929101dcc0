import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Modules that are looked at for one that does not parse. */
const LOOKS_MAX = 100
const CHECK_MS = 5000

/** `file:///a/b.mjs:3`, and below it the line of code with a mark under what is wrong. */
const EXCERPT = /^(\S.*):(\d+)\n([\s\S]*?\n[ \t]*\^+)/
/** A line of a stack that is in a file. */
const FRAME = /^ +at (?:.* \(|async )?(file:\/\/\S+?|\/\S+?|[A-Za-z]:\\\S+?):(\d+):\d+\)?$/gm
/** Where this package is: from here on a stack says nothing of the module. */
const OWN = new URL('.', import.meta.url).href
const RELATIVE_IMPORT = /(?:from|import)\s*\(?\s*['"](\.{1,2}\/[^'"\n]+)['"]/g

/** Why a module does not load, with the file and the line where that is known, and the line itself where it does not parse. */
export function moduleFailure(error: unknown, url: URL): string {
  if (!(error instanceof Error)) return String(error)
  const { message, stack = '' } = error
  const [, file, line, code] = EXCERPT.exec(stack) ?? (error instanceof SyntaxError ? unparsed(url) : undefined) ?? []
  if (file !== undefined) return `${message}, at ${pathOf(file)}:${line}\n${code}`
  const [, thrower, at] = stack.matchAll(FRAME).next().value ?? []
  return thrower === undefined || thrower.startsWith(OWN) ? message : `${message}, at ${pathOf(thrower)}:${at}`
}

/**
 * The first module that Node does not parse, from this one on through its imports: of ES modules a SyntaxError does not say in
 * which it is.
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
