import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { extname, join, normalize } from 'node:path'
import chromium from '@sparticuz/chromium'
import { type Browser, chromium as browserType } from 'playwright'
import { build } from 'vite'

const TYPES: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' }

export interface PageServer {
  port: number
  /** The Content-Security-Policy of every answer from now on. */
  policy: string
  close(): void
}

/** Builds the page of `test/page` as an app would, and serves it. */
export async function servePage(): Promise<PageServer> {
  const outDir = mkdtempSync(join(tmpdir(), 'sluice-page-'))
  const root = join(import.meta.dirname, 'page')
  await build({ root, base: './', logLevel: 'error', worker: { format: 'es' }, build: { outDir, target: 'es2024' } })
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://page').pathname
    const type = TYPES[extname(path)]
    if (type === undefined) return response.writeHead(404).end()
    const headers = { 'content-type': type, 'content-security-policy': page.policy }
    return response.writeHead(200, headers).end(readFileSync(join(outDir, normalize(path))))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const page: PageServer = {
    port: (server.address() as AddressInfo).port,
    policy: '',
    close: () => {
      server.closeAllConnections()
      server.close()
      rmSync(outDir, { recursive: true, force: true })
    },
  }
  return page
}

export async function launchChromium(): Promise<Browser> {
  return browserType.launch({
    executablePath: await chromium.executablePath(),
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--host-resolver-rules=MAP *.example 127.0.0.1'],
  })
}
