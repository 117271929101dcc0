import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { defineConfig, type UserConfig } from 'tsdown'

interface PackageBuild {
  /** The package's directory: `import.meta.dirname` of its tsdown.config.ts. */
  directory: string
  /** Public faces, as paths below `src` without an ending. */
  faces: string[]
  platform: 'neutral' | 'node'
}

/**
 * How every package is built for publishing: one module a source file, and beside it the declaration that
 * `tsc -b` has already written. The bundler's own declaration plug-in does not know the compiler's version yet.
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
    hooks: {
      'build:done': () => {
        const dist = join(directory, 'dist')
        cpSync(declarations, dist, { recursive: true, filter: (path) => !/\.[cm]?js$/.test(path) })
        for (const file of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
          if (!file.endsWith('.d.ts')) continue
          const text = readFileSync(join(dist, file), 'utf8')
          const endings = /((?:from|import)\s*\(?\s*)(["'])(\.{1,2}\/[^"']*)\.ts\2/g
          writeFileSync(join(dist, file), text.replace(endings, '$1$2$3.js$2'))
        }
      },
    },
  })
}
