import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { build } from 'vite'
import { vi } from 'vitest'

const example = join(import.meta.dirname, '..')

const TYPES: Record<string, string> = {
  html: 'text/html',
  js: 'text/javascript',
  css: 'text/css',
  jpg: 'image/jpeg',
  svg: 'image/svg+xml',
}

/** What a browser loads, by its path. */
export type BuiltPage = ReadonlyMap<string, string | Uint8Array>

/** Builds the app as it would be published. Nothing is written. */
export async function builtPage(): Promise<BuiltPage> {
  // The environment of tests would make it a page for development.
  vi.stubEnv('NODE_ENV', 'production')
  const built = await build({ root: example, logLevel: 'error', build: { write: false } })
  vi.unstubAllEnvs()
  if (!('output' in built)) throw new Error('one output was expected')
  return new Map(
    built.output.map((file) => [`/${file.fileName}`, file.type === 'chunk' ? file.code : (file.source as string)]),
  )
}

export interface PageServer {
  url: string
  origin: string
  close(): Promise<void>
}

/**
 * Serves a built page that says where the broker is.
 * @param brokerUrl called when the page is asked for, because a broker has to know the page's origin first
 * @param token called for the token of a user, for a broker with access control
 */
export async function servePage(
  page: BuiltPage,
  brokerUrl: () => string,
  token?: (user: string) => Promise<string>,
): Promise<PageServer> {
  const metas = () => [
    `<meta name="sluice-broker" content="${brokerUrl()}">`,
    ...(token === undefined ? [] : ['<meta name="sluice-token" content="/demo-token">']),
  ]
  const server = createServer(async ({ url = '/' }, response) => {
    const { pathname, searchParams } = new URL(url, 'http://page')
    if (token !== undefined && pathname === '/demo-token') {
      response.end(await token(searchParams.get('user') ?? ''))
      return
    }
    const path = pathname === '/' ? '/index.html' : pathname
    const file = page.get(path)
    response.writeHead(file === undefined ? 404 : 200, {
      'content-type': TYPES[path.slice(path.lastIndexOf('.') + 1)] ?? 'text/plain',
    })
    response.end(path === '/index.html' ? String(file).replace('<head>', `<head>${metas().join('')}`) : file)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url: `${origin}/`,
    origin,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
