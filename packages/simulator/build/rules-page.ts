import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import MarkdownIt from 'markdown-it'
import type { Plugin } from 'vite'

const FILE = 'rules.html'
const SPECIFICATION = join(import.meta.dirname, '..', '..', '..', 'SPEC.md')
const THEME = join(import.meta.dirname, '..', 'src', 'ui', 'theme.css')

const STYLE = `
body { margin: 0; background: var(--surface); color: var(--ink); font: 1rem/1.6 var(--sans); }
main { max-width: 46rem; margin: 0 auto; padding: 2rem 1.25rem 6rem; }
h1, h2 { line-height: 1.2; letter-spacing: -0.01em; }
h2 { margin-top: 3rem; border-top: 1px solid var(--line); padding-top: 1.5rem; }
ul { padding-inline-start: 1.1rem; }
li { margin: 0.5rem 0; }
li::marker { color: var(--muted); }
code { font: 0.875em var(--mono); background: var(--surface-3); border-radius: 4px; padding: 0.1em 0.3em; }
.id { font: 600 0.8125rem var(--mono); color: var(--accent); text-decoration: none; scroll-margin-top: 30vh; }
.id:hover { text-decoration: underline; }
.id:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 3px; }
li:has(> .id:target, > p > .id:target) {
  background: color-mix(in srgb, var(--accent) 12%, var(--surface-2));
  outline: 0.6rem solid color-mix(in srgb, var(--accent) 12%, var(--surface-2));
  border-radius: 2px;
}
.table { overflow-x: auto; border: 1px solid var(--line); border-radius: var(--round); background: var(--surface-2); }
table { border-collapse: collapse; font-size: 0.875rem; width: 100%; }
th, td { text-align: start; vertical-align: top; padding: 0.35rem 0.75rem; border-top: 1px solid var(--line); }
thead th { border-top: 0; color: var(--muted); font-weight: 500; }
`

/** A specification as a page of its own, in which each rule has its id as an anchor. */
export function rulesPage(specification: string, theme: string): string {
  const body = new MarkdownIt()
    .render(specification)
    // Other documents are not beside the page.
    .replace(/<a href="(?!#)[^"]*">(.*?)<\/a>/g, '$1')
    .replace(/<strong>\[([A-Z]+-\d+)\]<\/strong>/g, '<a class="id" id="$1" href="#$1">$1</a>')
    .replaceAll('<table>', '<div class="table" tabindex="0" role="group" aria-label="Table"><table>')
    .replaceAll('</table>', '</table></div>')
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>The queue, rule by rule</title>
<style>${theme}${STYLE}</style>
</head>
<body><main>
${body}</main></body>
</html>
`
}

/** Serves SPEC.md beside the simulator and builds it with it, so that a step leads to its rule without a network. */
export function rules(): Plugin {
  const page = (): string => rulesPage(readFileSync(SPECIFICATION, 'utf8'), readFileSync(THEME, 'utf8'))
  return {
    name: 'rules-page',
    configureServer: ({ middlewares }) => {
      middlewares.use((request, response, next) => {
        const { pathname } = new URL(request.url ?? '/', 'http://page')
        if (!pathname.endsWith(`/${FILE}`)) next()
        else response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(page())
      })
    },
    generateBundle() {
      this.emitFile({ type: 'asset', fileName: FILE, source: page() })
    },
  }
}
