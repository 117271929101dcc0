import { build } from 'esbuild'
import { expect, test } from 'vitest'

test('the package bundles for a browser: nothing of Node, nothing left to resolve', async () => {
  // Resolving `node:` modules for a browser is an error in esbuild.
  const { outputFiles, metafile } = await build({
    stdin: {
      contents: `export * from '@sluice/client'`,
      resolveDir: import.meta.dirname,
    },
    bundle: true,
    format: 'esm',
    platform: 'browser',
    metafile: true,
    write: false,
    logLevel: 'silent',
  })
  const [bundle] = Object.values(metafile.outputs)
  expect(bundle?.imports).toEqual([])
  expect(bundle?.exports).toEqual(expect.arrayContaining(['createClient', 'createWorker', 'defineTask']))
  expect(Object.keys(metafile.inputs).filter((path) => path.includes('packages/engine'))).toEqual([])
  expect(outputFiles[0]!.text).not.toMatch(/from ?["']node:/)
})
