import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import chromium from '@sparticuz/chromium'
import { build } from 'esbuild'
import { type Browser, chromium as browserType } from 'playwright'
import { onTestFinished } from 'vitest'

export interface Site {
  origin: string
  pageUrl: string
}

/** Serves the modules of this directory, bundled for a browser, and a page that loads one of them. */
export async function serveSite(entryPoints: readonly string[]): Promise<Site> {
  const { outputFiles } = await build({
    entryPoints: entryPoints.map((name) => `${import.meta.dirname}/${name}.ts`),
    outdir: '/',
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2024',
    conditions: ['module', 'browser', 'production'],
    define: { 'process.env.NODE_ENV': '"production"' },
    write: false,
    logLevel: 'silent',
  })
  const files = new Map(outputFiles.map(({ path, text }) => [path, text]))
  const server = createServer(({ url = '/' }, response) => {
    const script = files.get(new URL(url, 'http://site').pathname)
    response.setHeader('content-type', script === undefined ? 'text/html' : 'text/javascript')
    response.end(
      script ?? `<!doctype html><title>a page</title><script type="module" src="/${entryPoints[0]}.js"></script>`,
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { origin, pageUrl: `${origin}/` }
}

export async function launchBrowser(): Promise<Browser> {
  return browserType.launch({
    executablePath: await chromium.executablePath(),
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
  })
}
