import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { defineConfig, type UserConfig } from 'tsdown'

interface PackageBuild {
  /** The package's directory: `import.meta.dirname` of its tsdown.config.ts. */
  directory: string
  /** Public faces, as paths below `src` without an ending. */
  faces: string[]
  platform: 'neutral' | 'node'
}

/**
 * How every package is built for publishing: one module and one source map a source file, and the declarations that the faces
 * reach, as `tsc -b` has written them. The bundler's own declaration plug-in does not know the compiler's version yet.
 */
export function packageBuild({ directory, faces, platform }: PackageBuild): UserConfig {
  const declarations = join(import.meta.dirname, 'node_modules', '.cache', 'types', basename(directory), 'src')
  return defineConfig({
    entry: Object.fromEntries(faces.map((face) => [face, `src/${face}.ts`])),
    format: 'esm',
    platform,
    unbundle: true,
    fixedExtension: false,
    dts: false,
    sourcemap: true,
    plugins: [builtWorkerFiles],
    hooks: {
      'build:done': () => writeDeclarations(declarations, faces, join(directory, 'dist')),
    },
  })
}

/**
 * A Worker is started by its file, in a form that bundlers of apps know: `new Worker(new URL('./file.js', import.meta.url))`.
 * The source names the file with its own ending, which is as long, so that the source maps stay right.
 */
const builtWorkerFiles = {
  name: 'built-worker-files',
  transform: (code: string) =>
    code.includes('new Worker(')
      ? { code: code.replace(/(new URL\('\.\/[\w-]+)\.ts('[^)]*import\.meta\.url\))/g, '$1.js$2'), map: null }
      : undefined,
}

const relativeImports = /((?:from|import)\s*\(?\s*)(["'])(\.{1,2}\/[^"']*)\.ts\2/g

/** Copies the faces' declarations and those that they import, whose endings become those of the built modules. */
function writeDeclarations(from: string, faces: string[], dist: string): void {
  const waiting = [...faces]
  const seen = new Set(waiting)
  for (let face = waiting.pop(); face !== undefined; face = waiting.pop()) {
    const text = readFileSync(join(from, `${face}.d.ts`), 'utf8')
    for (const [, , , specifier = ''] of text.matchAll(relativeImports)) {
      const reached = join(dirname(face), specifier)
      if (seen.has(reached)) continue
      seen.add(reached)
      waiting.push(reached)
    }
    const file = join(dist, `${face}.d.ts`)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text.replace(relativeImports, '$1$2$3.js$2'))
  }
}
