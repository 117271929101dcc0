import { posix } from 'node:path'
import { type Finding, lineAt, type SourceFile } from './tree.ts'

const linesMax = 500
const testLinesMax = 800

const vagueNames = /^(utils?|helpers?|types|misc|common)\.tsx?$/
const kebabCase = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)*$/

/** One concept a file, named by its noun, and no longer than a person reads at once. */
export function checkFiles(files: SourceFile[]): Finding[] {
  const findings: Finding[] = []
  for (const { path, text } of files) {
    if (!/\.(tsx?|m?js)$/.test(path)) continue
    const name = posix.basename(path)
    const lines = text.replace(/\n$/, '').split('\n').length
    const max = /(^|\/)test\//.test(path) || /\.test\.tsx?$/.test(path) ? testLinesMax : linesMax
    if (lines > max)
      findings.push({ path, line: max + 1, rule: 'file-size', message: `${lines} lines, where ${max} is the most` })
    if (vagueNames.test(name)) findings.push({ path, line: 1, rule: 'file-name', message: `${name} names no concept` })
    if (!kebabCase.test(name)) findings.push({ path, line: 1, rule: 'file-name', message: `${name} is not kebab-case` })
  }
  return findings
}

/** Spelled in pieces, so that this file does not find itself. */
const machineDirectories = ['work', 'root', 'home', 'tmp', 'Users', 'mnt', 'opt']
const machinePath = new RegExp(`(?<![\\w./:@~*$}-])/(?:${machineDirectories.join('|')})/[\\w.@-]`, 'g')
const registryHosts = ['registry.npmjs' + '.org', 'registry.yarnpkg' + '.com', 'npm.jsr' + '.io', 'deb.debian' + '.org']
const unfinished = new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX'].join('|')})\\b`, 'g')

function matches(
  { path, text }: SourceFile,
  pattern: RegExp,
  rule: string,
  message: (found: string) => string,
): Finding[] {
  return [...text.matchAll(pattern)].map((match) => ({
    path,
    line: lineAt(text, match.index),
    rule,
    message: message(match[0]),
  }))
}

/** Nothing in the tree knows the machine it was written on, and nothing is left for later in a comment. */
export function checkText(files: SourceFile[]): Finding[] {
  const findings: Finding[] = []
  for (const file of files) {
    findings.push(...matches(file, machinePath, 'machine-path', (found) => `${found}… is a path of one machine`))
    for (const host of registryHosts) {
      const at = file.text.indexOf(host)
      if (at !== -1)
        findings.push({
          path: file.path,
          line: lineAt(file.text, at),
          rule: 'registry-host',
          message: `${host} is a setting of one machine`,
        })
    }
    if (/\.(tsx?|m?js)$/.test(file.path))
      findings.push(...matches(file, unfinished, 'unfinished', (found) => `${found} is no place for work to do`))
  }
  return findings
}
