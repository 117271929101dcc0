import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** A file of the repository as a rule sees it: a path from the root, with forward slashes, and its text. */
export interface SourceFile {
  path: string
  text: string
}

export interface Finding {
  path: string
  line: number
  rule: string
  message: string
}

export const root = join(import.meta.dirname, '..', '..')

const binary = /\.(png|jpe?g|gif|ico|webp|woff2?|wasm|gz|zip)$/

/** What git tracks, and what it would track if it were added now: a rule should bite before the commit, not after. */
export function readTree(): SourceFile[] {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root })
  return (
    [...new Set(listed.toString().split('\0'))]
      .filter((path) => path !== '')
      .filter((path) => existsSync(join(root, path)) && statSync(join(root, path)).isFile())
      .sort()
      // A document may show a picture, so its path is known, and its bytes are no text.
      .map((path) => ({ path, text: binary.test(path) ? '' : readFileSync(join(root, path), 'utf8') }))
  )
}

export function lineAt(text: string, offset: number): number {
  let line = 1
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) line += 1
  return line
}

/** One line a finding, in the form that terminals and editors turn into a link. */
export function report(findings: Finding[]): string[] {
  return findings.map((f) => `${f.path}:${f.line} [${f.rule}] ${f.message}`)
}
