import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/** The scripts of the pages, and of their Workers. */
const ENTRIES = {
  page: join(import.meta.dirname, 'page', 'outbox-page.ts'),
  tab: join(import.meta.dirname, 'page', 'tab-page.ts'),
  'tab-handlers': join(import.meta.dirname, 'page', 'tab-handlers.ts'),
  'connection-worker': fileURLToPath(import.meta.resolve('@sluice/worker-browser/connection-worker')),
}

/** Serves the pages that the trials drive, and notes what they say. `tab` is the one that lends its tab. */
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
      entryPoints: ENTRIES,
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
    const server = createServer((request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '/', 'http://site')
      if (pathname === '/saved') {
        for (const id of searchParams.get('ids')?.split(',') ?? []) site.saved.add(id)
        response.end()
        return
      }
      const script = outputFiles.find(({ path }) => path === pathname)
      response.setHeader('content-type', script === undefined ? 'text/html' : 'text/javascript')
      const name = pathname === '/tab' ? 'tab' : 'page'
      response.end(
        script?.text ?? `<!doctype html><title>${name}</title><script type="module" src="/${name}.js"></script>`,
      )
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
