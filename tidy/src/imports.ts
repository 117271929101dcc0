import { posix } from 'node:path'
import { type Room, rooms } from './rooms.ts'
import { moduleReferences, parse } from './syntax.ts'
import { type Finding, lineAt, type SourceFile } from './tree.ts'

interface Manifest {
  name: string
  exports?: Record<string, unknown>
  dependencies?: Record<string, string>
  devDependencies?: Record<string, string>
  peerDependencies?: Record<string, string>
}

const rule = 'imports'

const roomOf = (path: string) => rooms.find((room) => path.startsWith(`${room.directory}/`))

const isOurs = (name: string) => name === 'sluice' || name.startsWith('@sluice/')

function splitSpecifier(specifier: string): { name: string; subpath: string } {
  const parts = specifier.split('/')
  const length = specifier.startsWith('@') ? 2 : 1
  return { name: parts.slice(0, length).join('/'), subpath: ['.', ...parts.slice(length)].join('/') }
}

/** What the code of the room, or a test of it, may import. */
const importsOf = ({ imports, testImports = [] }: Room, isTest: boolean): readonly string[] =>
  isTest ? [...imports, ...testImports] : imports

/** Whether the package may be imported, whole or by a subpath. */
const mayUse = (imports: readonly string[], name: string) =>
  imports.some((allowed) => allowed === name || allowed.startsWith(`${name}/`))

/** Imports point one way, through public faces only, and each package.json says the same as the code. */
export function checkImports(files: SourceFile[]): Finding[] {
  const findings: Finding[] = []
  const manifests = new Map<string, { path: string; text: string; manifest: Manifest }>()
  for (const { path, text } of files) {
    if (path.endsWith('package.json') && roomOf(path)?.directory === posix.dirname(path))
      manifests.set(posix.dirname(path), { path, text, manifest: JSON.parse(text) as Manifest })
  }
  const exportsByName = new Map([...manifests.values()].map(({ manifest }) => [manifest.name, manifest.exports ?? {}]))
  const used = new Map<string, Set<string>>()

  for (const file of files) {
    const { path, text } = file
    const room = roomOf(path)
    if (room === undefined || !/\.tsx?$/.test(path)) continue
    const manifest = manifests.get(room.directory)?.manifest
    const declared = { ...manifest?.dependencies, ...manifest?.devDependencies, ...manifest?.peerDependencies }
    for (const { specifier, offset } of moduleReferences(parse(file))) {
      const found = (message: string) => findings.push({ path, line: lineAt(text, offset), rule, message })
      if (specifier.startsWith('/')) {
        found(`imports the absolute path ${specifier}`)
        continue
      }
      if (specifier.startsWith('.')) {
        const target = posix.join(posix.dirname(path), specifier)
        const building = path === `${room.directory}/tsdown.config.ts` && target === 'build.config.ts'
        if (!building && !target.startsWith(`${room.directory}/`))
          found(`${specifier} reaches outside ${room.directory}`)
        continue
      }
      const { name, subpath } = splitSpecifier(specifier)
      if (!isOurs(name) || name === room.name) continue
      used.set(room.directory, (used.get(room.directory) ?? new Set()).add(name))
      const imports = importsOf(room, path.startsWith(`${room.directory}/test/`))
      if (!imports.includes(name) && !imports.includes(specifier))
        found(`${room.name} may not import ${mayUse(imports, name) ? specifier : name}`)
      const faces = exportsByName.get(name)
      if (faces !== undefined && !(subpath in faces)) found(`${specifier} is no public face of ${name}`)
      if (!(name in declared)) found(`${name} is missing in the dependencies of ${room.directory}/package.json`)
    }
  }

  for (const [directory, { path, text, manifest }] of manifests) {
    const room = rooms.find((candidate) => candidate.directory === directory)
    for (const name of Object.keys({ ...manifest.dependencies, ...manifest.devDependencies })) {
      if (!isOurs(name) || room === undefined) continue
      const line = lineAt(text, text.indexOf(`"${name}":`))
      const imports = importsOf(room, !(name in (manifest.dependencies ?? {})))
      if (!mayUse(imports, name)) findings.push({ path, line, rule, message: `${room.name} may not depend on ${name}` })
      else if (used.get(directory)?.has(name) !== true)
        findings.push({ path, line, rule, message: `depends on ${name} and never imports it` })
    }
  }
  return findings
}
