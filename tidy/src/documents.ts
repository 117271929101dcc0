import { posix } from 'node:path'
import { anchors, codeBlocks, withoutCode } from './markdown.ts'
import { type Finding, lineAt, type SourceFile } from './tree.ts'

/** The scripts that people and other checks rely on. */
const contract = [
  'dev',
  'test',
  'check',
  'bench',
  'fuzz',
  'torture',
  'size',
  'build',
  'sluice',
  'test:fast',
  'test:consumer',
]

/** Words behind `pnpm` that are pnpm's own, or a program that the workspace installs. */
const notScripts = new Set([
  'install',
  'add',
  'exec',
  'run',
  'dlx',
  'create',
  'publish',
  'vitest',
  'tsc',
  'biome',
  'knip',
])

/** Every script that a document names exists. */
export function checkScripts(files: SourceFile[]): Finding[] {
  const manifest = files.find(({ path }) => path === 'package.json')
  const scripts = (JSON.parse(manifest?.text ?? '{}') as { scripts?: Record<string, string> }).scripts ?? {}
  const findings: Finding[] = contract
    .filter((name) => !(name in scripts))
    .map((name) => ({ path: 'package.json', line: 1, rule: 'scripts', message: `the script ${name} is missing` }))
  for (const file of files) {
    if (!file.path.endsWith('.md')) continue
    const spans = [...file.text.matchAll(/(?<!`)`([^`\n]+)`(?!`)/g)].map((m) => ({
      line: lineAt(file.text, m.index),
      text: m[1] ?? '',
    }))
    const blocks = codeBlocks(file).map(({ line, text }) => ({ line: line + 1, text }))
    for (const { line, text } of [...spans, ...blocks]) {
      text.split('\n').forEach((content, index) => {
        for (const [, name = ''] of content.matchAll(/(?:^|[\s(&;|])pnpm(?:@[\d.]+)?\s+(?:run\s+)?([a-z][\w:-]*)/g)) {
          if (name in scripts || notScripts.has(name)) continue
          findings.push({ path: file.path, line: line + index, rule: 'scripts', message: `there is no script ${name}` })
        }
      })
    }
  }
  return findings
}

/** Every relative link, and every anchor inside the tree, leads somewhere. */
export function checkLinks(files: SourceFile[]): Finding[] {
  const byPath = new Map(files.map((file) => [file.path, file.text]))
  const directories = new Set(
    files.flatMap(({ path }) => path.split('/').map((_, i, parts) => parts.slice(0, i).join('/'))),
  )
  const findings: Finding[] = []
  for (const { path, text } of files) {
    if (!path.endsWith('.md')) continue
    for (const match of withoutCode(text).matchAll(/\]\(\s*<?([^)\s>]+)>?[^)]*\)|^\[[^\]]+\]:\s*(\S+)/gm)) {
      const target = match[1] ?? match[2] ?? ''
      if (/^[a-z][a-z0-9+.-]*:/i.test(target)) continue
      const [file = '', anchor] = target.split('#')
      const resolved = file === '' ? path : posix.join(posix.dirname(path), decodeURIComponent(file)).replace(/\/$/, '')
      const line = lineAt(text, match.index)
      const content = byPath.get(resolved)
      if (content === undefined && !directories.has(resolved === '.' ? '' : resolved))
        findings.push({ path, line, rule: 'links', message: `${target} leads nowhere` })
      else if (anchor && content !== undefined && resolved.endsWith('.md') && !anchors(content).has(anchor))
        findings.push({ path, line, rule: 'links', message: `${target}: no heading makes the anchor #${anchor}` })
    }
  }
  return findings
}
