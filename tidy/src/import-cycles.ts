import { posix } from 'node:path'
import { rooms } from './rooms.ts'
import { moduleReferences, parse } from './syntax.ts'
import { type Finding, lineAt, type SourceFile } from './tree.ts'

const rule = 'import-cycles'

interface Import {
  target: string
  line: number
}

/** The files that each file names, by path. A package that names itself reaches the file behind that name. */
function importsByFile(files: SourceFile[]): Map<string, Import[]> {
  const paths = new Set(files.map(({ path }) => path))
  const faces = new Map<string, string>()
  for (const { directory, name } of rooms) {
    const manifest = files.find(({ path }) => path === `${directory}/package.json`)
    const { exports = {} } = JSON.parse(manifest?.text ?? '{}') as { exports?: Record<string, unknown> }
    for (const [subpath, file] of Object.entries(exports))
      if (typeof file === 'string') faces.set(posix.join(name, subpath), posix.join(directory, file))
  }
  const sources = files.filter(({ path }) => /\.tsx?$/.test(path))
  return new Map(
    sources.map((file) => [
      file.path,
      moduleReferences(parse(file)).flatMap(({ specifier, offset }) => {
        const target = specifier.startsWith('.')
          ? posix.join(posix.dirname(file.path), specifier)
          : (faces.get(specifier) ?? '')
        return paths.has(target) ? [{ target, line: lineAt(file.text, offset) }] : []
      }),
    ]),
  )
}

/** No file reaches itself through its imports, type imports included. The finding stands where the cycle closes. */
export function checkImportCycles(files: SourceFile[]): Finding[] {
  const imports = importsByFile(files)
  const findings: Finding[] = []
  const done = new Set<string>()
  const trail: string[] = []

  function follow(path: string): void {
    trail.push(path)
    for (const { target, line } of imports.get(path) ?? []) {
      const at = trail.indexOf(target)
      if (at !== -1)
        findings.push({ path, line, rule, message: `imports in a cycle: ${[...trail.slice(at), target].join(' → ')}` })
      else if (!done.has(target)) follow(target)
    }
    trail.pop()
    done.add(path)
  }

  for (const path of imports.keys()) if (!done.has(path)) follow(path)
  return findings
}
