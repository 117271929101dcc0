import { once } from 'node:events'
import { cpSync, readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join } from 'node:path'
import chromium from '@sparticuz/chromium'
import * as esbuild from 'esbuild'
import { chromium as browserType } from 'playwright'
import * as vite from 'vite'
import { afterEach, expect, inject, test } from 'vitest'
import { CommandLine } from '../../src/command-line.ts'
import { root } from '../../src/packages.ts'
import { run, Service } from '../../src/run.ts'

const { directory } = inject('consumer')
const node = join(root, 'node_modules', '.bin')
const undo: (() => unknown)[] = []

afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

test('a page that Vite has built submits a task and works on it', async () => {
  const sluice = new CommandLine(directory, node)
  undo.push(() => sluice.stopAll())
  const broker = await sluice.broker('page.db')
  const page = join(directory, 'page')
  await vite.build({ root: page, base: './', logLevel: 'error', build: { target: 'es2022' } })
  const browser = await browserType.launch({
    executablePath: await chromium.executablePath(),
    args: ['--no-sandbox', '--disable-gpu'],
  })
  undo.push(() => browser.close())
  const tab = await browser.newPage()
  await tab.goto(`${await serve(join(page, 'dist'))}/index.html?broker=${broker}`)
  await tab.getByText('the result is 42').waitFor()
})

test('the client is one small file for a browser, without anything of Node', async () => {
  const { metafile, outputFiles } = await esbuild.build({
    stdin: { contents: `export { createClient, createWorker } from '@sluice/client'`, resolveDir: directory },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    metafile: true,
    write: false,
  })
  expect(outputFiles).toHaveLength(1)
  expect(Object.keys(metafile.inputs).filter((file) => /node:|\/ws\//.test(file))).toEqual([])
})

/** As docs/deployment.md has it. */
const brokerBundle = {
  entryPoints: {
    server: 'bundled.js',
    'sqlite-writer': '@sluice/broker/sqlite-writer',
    'sqlite-reader': '@sluice/broker/sqlite-reader',
  },
  bundle: true,
  platform: 'node',
  format: 'esm',
  outdir: 'bundle',
  banner: { js: `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);` },
} satisfies esbuild.BuildOptions

test('a bundle of the broker runs where no package is installed, with the threads of its journal', async () => {
  await esbuild.build({ ...brokerBundle, absWorkingDir: directory, logLevel: 'error' })
  const alone = join(directory, '..', 'alone')
  cpSync(join(directory, 'bundle'), alone, { recursive: true })
  expect(readdirSync(alone).sort()).toEqual(['server.js', 'sqlite-reader.js', 'sqlite-writer.js'])
  const server = new Service(join(node, 'node'), ['server.js', 'bundled.db'], { cwd: alone })
  undo.push(() => server.stop())
  const [, url = ''] = await server.line(/listening at (\S+)/)
  const sluice = new CommandLine(directory, node)
  undo.push(() => sluice.stopAll())
  sluice.start('worker', 'handlers.js', '--url', url)
  expect(await sluice.run('submit', 'consumer.greet', '{"name":"Ada"}', '--wait', '--url', url)).toContain('hello Ada')
})

test('a bundle without the threads of the journal says what is missing', async () => {
  const { server } = brokerBundle.entryPoints
  await esbuild.build({
    ...brokerBundle,
    entryPoints: { server },
    outdir: 'lacking',
    absWorkingDir: directory,
    logLevel: 'error',
  })
  await expect(
    run(join(node, 'node'), [join('lacking', 'server.js'), 'lacking.db'], { cwd: directory }),
  ).rejects.toThrow(/sqlite-writer\.js is missing.*@sluice\/broker\/sqlite-writer/)
})

/** @returns the address of the directory */
async function serve(files: string): Promise<string> {
  const types: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript' }
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname
    if (!(extname(path) in types)) return response.writeHead(404).end()
    return response.writeHead(200, { 'content-type': types[extname(path)] }).end(readFileSync(join(files, path)))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  undo.push(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
