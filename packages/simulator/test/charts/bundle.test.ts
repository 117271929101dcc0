import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'vite'
import { expect, test } from 'vitest'

const source = (path: string) => new URL(`../../src/${path}`, import.meta.url).pathname

/** What a page loads to draw charts, without what it loads anyway. */
const GZIP_BYTES_MAX = 16_000

test('a page that draws charts loads neither the layout engine nor XState, and little', async () => {
  const entry = 'virtual:charts'
  const built = await build({
    configFile: false,
    logLevel: 'silent',
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    build: {
      write: false,
      target: 'es2024',
      modulePreload: false,
      rolldownOptions: { input: entry, external: /^preact/ },
    },
    plugins: [
      {
        name: 'charts',
        resolveId: (id) => (id === entry ? `\0${entry}` : undefined),
        load: (id) =>
          id === `\0${entry}`
            ? `import { ChartView } from '${source('charts/chart-view.tsx')}'
               import { CHART_LAYOUTS } from '${source('charts/layouts.ts')}'
               import { rulesOf } from '${source('charts/rules.ts')}'
               import { ChartsFold } from '${source('view/charts.ts')}'
               globalThis.charts = { ChartView, CHART_LAYOUTS, rulesOf, ChartsFold }`
            : undefined,
      },
    ],
  })
  const { output } = [built].flat()[0] as { output: { type: string; code?: string; modules?: object }[] }
  const chunks = output.filter(({ type }) => type === 'chunk')
  const modules = chunks.flatMap((chunk) => Object.keys(chunk.modules ?? {}))
  expect(modules.some((id) => id.endsWith('chart-view.tsx'))).toBe(true)
  expect(modules.filter((id) => /elkjs|xstate|packages\/(machines|engine|world)\//.test(id))).toEqual([])
  const bytes = chunks.reduce((sum, { code = '' }) => sum + gzipSync(code).length, 0)
  expect(bytes).toBeLessThan(GZIP_BYTES_MAX)
})

test('neither is in anything of the whole page, or in its Worker', async () => {
  const root = fileURLToPath(new URL('../..', import.meta.url))
  const built = await build({ root, logLevel: 'silent', build: { write: false } })
  const { output } = [built].flat()[0] as {
    output: { fileName: string; code?: string; source?: string | Uint8Array }[]
  }
  const scripts = output.filter(({ fileName }) => fileName.endsWith('.js'))
  expect(scripts.some(({ fileName }) => fileName.includes('engine-worker'))).toBe(true)
  // Each is in every bundle that has that library.
  for (const { fileName, code, source } of scripts)
    for (const mark of ['xstate.init', 'org.eclipse.elk'])
      expect(`${code ?? source}`.includes(mark), fileName).toBe(false)
})
