/**
 * Serves the simulator, and each folder of `examples` that has an `index.html`:
 *
 *   node src/serve.ts --port 5173 --broker ws://127.0.0.1:7331
 *
 * With SLUICE_TOKEN_SECRET set, pages get tokens for their demo users. A parent that holds a channel is told when the
 * pages are served, and this process leaves with its parent.
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createServer } from 'vite'
import { demoTokens } from './demo-tokens.ts'
import { examplePages, pagesIn } from './example-pages.ts'
import { SIMULATOR, simulatorPage, simulatorServer } from './simulator-page.ts'

const HOST = '127.0.0.1'

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '5173' },
    broker: { type: 'string', default: 'ws://127.0.0.1:7331' },
  },
})

const directory = join(import.meta.dirname, '..', '..')
const secret = process.env.SLUICE_TOKEN_SECRET
const pages = pagesIn(directory)

const simulator = await simulatorServer()
const server = await createServer({
  configFile: false,
  root: directory,
  cacheDir: join(import.meta.dirname, '..', 'node_modules', '.vite'),
  appType: 'mpa',
  logLevel: 'warn',
  clearScreen: false,
  plugins: [
    simulatorPage(simulator),
    examplePages({ directory, brokerUrl: values.broker, givesTokens: secret !== undefined }),
    ...(secret === undefined ? [] : [demoTokens(secret)]),
  ],
  optimizeDeps: { entries: pages.map(({ name }) => `${name}/index.html`) },
  server: { host: HOST, port: Number(values.port), strictPort: true },
})

let isLeaving = false
const leave = async () => {
  if (isLeaving) return
  isLeaving = true
  await Promise.all([simulator.close(), server.close()])
  process.exit(0)
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void leave())
process.on('disconnect', () => void leave())

await server.listen()
const url = `http://${HOST}:${server.config.server.port}`
console.log(`serving ${url}`)
process.send?.({ pages: [SIMULATOR, ...pages].map(({ name, title }) => ({ url: `${url}/${name}/`, title })) })
