import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

interface Target {
  name: string
  /** The package that resolves the names, if it is not this one. */
  from?: string
  /** The module that a page would write, with the names it imports. */
  source: string
  gzipBytesMax: number
}

const targets: readonly Target[] = [
  { name: 'producer', source: `export { createClient } from '@sluice/client'`, gzipBytesMax: 24 * 1024 },
  { name: 'worker', source: `export { createWorker } from '@sluice/client'`, gzipBytesMax: 24 * 1024 },
  { name: 'whole client', source: `export * from '@sluice/client'`, gzipBytesMax: 32 * 1024 },
  {
    name: 'client-browser',
    source: `export { createBrowserClient } from '@sluice/client-browser'`,
    gzipBytesMax: 40 * 1024,
  },
  {
    name: 'tab, page',
    from: 'worker-browser',
    source: `export { createTabWorker } from '@sluice/worker-browser'; export * from '@sluice/worker-browser/element'`,
    gzipBytesMax: 12 * 1024,
  },
  {
    name: 'tab, connection',
    from: 'worker-browser',
    source: `import '@sluice/worker-browser/connection-worker'`,
    gzipBytesMax: 40 * 1024,
  },
  {
    name: 'both, page',
    from: '../examples/photo-app',
    source: `export { createBrowserClient } from '@sluice/client-browser'; export { createTabWorker } from '@sluice/worker-browser'`,
    gzipBytesMax: 50 * 1024,
  },
  {
    name: 'tab, handlers',
    from: 'worker-browser',
    source: `export { serveHandlers } from '@sluice/worker-browser/handlers'`,
    gzipBytesMax: 8 * 1024,
  },
  { name: 'protocol', source: `export * from '@sluice/protocol'`, gzipBytesMax: 10.5 * 1024 },
]

const own = join(import.meta.dirname, '..')
const bundleBytesMin = 256

const config = 'minified ES module for a browser, tree-shaken, gzip level 9'

interface Figure {
  name: string
  minifiedBytes: number
  gzipBytes: number
  gzipBytesMax: number
  met: boolean
  config: string
}

async function measure({ name, from, source, gzipBytesMax }: Target): Promise<Figure> {
  const { outputFiles } = await build({
    stdin: { contents: source, resolveDir: from === undefined ? own : join(own, '..', 'packages', from), loader: 'ts' },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2024',
    // What Vite asks for; without 'module' XState would come whole, as CommonJS.
    conditions: ['module', 'browser', 'production'],
    define: { 'process.env.NODE_ENV': '"production"' },
    legalComments: 'none',
    write: false,
    logLevel: 'silent',
  })
  const code = outputFiles[0]!.contents
  // The bundler lets a name that a module does not export pass as a type.
  if (code.byteLength < bundleBytesMin) throw new Error(`the bundle "${name}" is empty: does ${source} still exist?`)
  const gzipBytes = gzipSync(code, { level: 9 }).byteLength
  return { name, minifiedBytes: code.byteLength, gzipBytes, gzipBytesMax, met: gzipBytes <= gzipBytesMax, config }
}

const kibibytes = (bytes: number) => `${(bytes / 1024).toFixed(1)} KiB`

const { values } = parseArgs({ options: { json: { type: 'string' }, check: { type: 'boolean', default: false } } })
const figures = await Promise.all(targets.map(measure))

const row = (cells: string[]) =>
  cells.map((cell, index) => (index === 0 ? cell.padEnd(16) : cell.padStart(11))).join(' ')
console.log(row(['bundle', 'minified', 'gzip', 'target', '']))
for (const { name, minifiedBytes, gzipBytes, gzipBytesMax, met } of figures)
  console.log(
    row([name, kibibytes(minifiedBytes), kibibytes(gzipBytes), kibibytes(gzipBytesMax), met ? 'met' : 'MISSED']),
  )
console.log(`\n${config}`)

if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ figures }, null, 2)}\n`)
if (values.check && figures.some(({ met }) => !met)) process.exitCode = 1
