import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Plugin } from 'vite'
import { TOKEN_PATH } from './demo-tokens.ts'
import { SIMULATOR } from './simulator-page.ts'

export interface ExamplePage {
  /** The name of its folder. */
  name: string
  title: string
}

/** Every folder with an `index.html`. */
export function pagesIn(directory: string): ExamplePage[] {
  return readdirSync(directory)
    .filter((name) => existsSync(join(directory, name, 'index.html')))
    .map((name) => {
      const html = readFileSync(join(directory, name, 'index.html'), 'utf8')
      return { name, title: /<title>([^<]*)<\/title>/.exec(html)?.[1] ?? name }
    })
}

export interface PagesOptions {
  directory: string
  /** `ws://…`. A page finds it in `<meta name="sluice-broker">`. */
  brokerUrl: string
  /** Whether pages get tokens, from the path in `<meta name="sluice-token">`. */
  givesTokens: boolean
}

/** Tells pages where the broker is, and lists them at `/`. */
export function examplePages({ directory, brokerUrl, givesTokens }: PagesOptions): Plugin {
  const meta = (name: string, content: string) => ({ tag: 'meta', attrs: { name, content } })
  return {
    name: 'example-pages',
    transformIndexHtml: () => [
      meta('sluice-broker', brokerUrl),
      ...(givesTokens ? [meta('sluice-token', TOKEN_PATH)] : []),
    ],
    configureServer: ({ middlewares }) => {
      middlewares.use((request, response, next) => {
        const { pathname } = new URL(request.url ?? '/', 'http://page')
        if (pathname === '/')
          response.setHeader('content-type', 'text/html').end(listOf([SIMULATOR, ...pagesIn(directory)]))
        else if (pagesIn(directory).some(({ name }) => pathname === `/${name}`))
          response.writeHead(302, { location: `${pathname}/` }).end()
        else next()
      })
    },
  }
}

function listOf(pages: readonly ExamplePage[]): string {
  const links = pages.map(({ name, title }) => `<li><a href="/${name}/">${title}</a></li>`).join('')
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>Pages of Sluice</title><style>body{font:1rem/1.6 system-ui,sans-serif;max-width:32rem;margin:4rem auto;padding:0 1rem}</style><h1>Pages of Sluice</h1><ul>${links}</ul></html>`
}
