import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { build } from 'esbuild'

/** Serves the page that the trials drive, and notes what it says. */
export class Site implements AsyncDisposable {
  readonly url: string
  /** The ids that a page has seen saved, in the order in which it said so. */
  readonly saved = new Set<string>()
  readonly #server: ReturnType<typeof createServer>

  private constructor(server: ReturnType<typeof createServer>) {
    this.#server = server
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  }

  static async start(): Promise<Site> {
    const { outputFiles } = await build({
      entryPoints: [join(import.meta.dirname, 'page', 'outbox-page.ts')],
      bundle: true,
      format: 'esm',
      platform: 'browser',
      target: 'es2024',
      conditions: ['module', 'browser', 'production'],
      define: { 'process.env.NODE_ENV': '"production"' },
      write: false,
      logLevel: 'silent',
    })
    const server = createServer((request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '/', 'http://site')
      if (pathname === '/saved') {
        for (const id of searchParams.get('ids')?.split(',') ?? []) site.saved.add(id)
        response.end()
      } else if (pathname === '/page.js') {
        response.setHeader('content-type', 'text/javascript')
        response.end(outputFiles[0]!.text)
      } else {
        response.setHeader('content-type', 'text/html')
        response.end('<!doctype html><title>outbox</title><script type="module" src="/page.js"></script>')
      }
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const site = new Site(server)
    return site
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
  }
}
