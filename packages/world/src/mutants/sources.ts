import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { PlantedPackage } from './mutant.ts'
import { type Node, parse } from './syntax.ts'

/** A file of the product. */
export class SourceFile {
  /** Below `packages/`. */
  readonly path: string
  readonly text: string
  #program: Node | undefined

  constructor(path: string, text: string) {
    this.path = path
    this.text = text
  }

  /** Parsed when it is first asked for. */
  get program(): Node {
    this.#program ??= parse(this.text)
    return this.#program
  }
}

/** The start of every module's address, where `packages/` begins. */
export const packagesUrl = new URL('../../..', import.meta.url).href

const known = new Map<PlantedPackage, readonly SourceFile[]>()

/** The source files of a package, as they are on this machine. They are read once. */
export function sourcesOf(name: PlantedPackage): readonly SourceFile[] {
  const files = known.get(name) ?? read(name)
  known.set(name, files)
  return files
}

function read(name: PlantedPackage): SourceFile[] {
  const directory = `${name}/src/`
  return readdirSync(fileURLToPath(new URL(directory, packagesUrl)), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => `${directory}${path.replaceAll('\\', '/')}`)
    .sort()
    .map((path) => new SourceFile(path, readFileSync(fileURLToPath(new URL(path, packagesUrl)), 'utf8')))
}
