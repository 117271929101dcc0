import { join } from 'node:path'
import { createServer, type Plugin, type ViteDevServer } from 'vite'

/** It is a page like those of the examples, in a folder of its own. */
export const SIMULATOR = { name: 'simulator', title: 'Simulator: see the queue think' }

const BASE = `/${SIMULATOR.name}/`

/** The simulator, to be mounted in another server. */
export function simulatorServer(): Promise<ViteDevServer> {
  const root = join(import.meta.dirname, '..', '..', '..', 'packages', 'simulator')
  return createServer({
    configFile: join(root, 'vite.config.ts'),
    root,
    base: BASE,
    cacheDir: join(import.meta.dirname, '..', 'node_modules', '.vite-simulator'),
    logLevel: 'warn',
    clearScreen: false,
    // The server of the pages has the one socket for reloads.
    server: { middlewareMode: true, hmr: false },
  })
}

/** Answers everything below the simulator's folder. */
export function simulatorPage(simulator: ViteDevServer): Plugin {
  return {
    name: 'simulator-page',
    configureServer: ({ middlewares }) => {
      middlewares.use((request, response, next) => {
        const { pathname } = new URL(request.url ?? '/', 'http://page')
        if (`${pathname}/` === BASE) response.writeHead(302, { location: BASE }).end()
        else if (pathname.startsWith(BASE)) simulator.middlewares(request, response, next)
        else next()
      })
    },
  }
}
