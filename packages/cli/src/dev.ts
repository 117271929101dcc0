import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join, relative } from 'node:path'
import { styleText } from 'node:util'
import { brokerUrl, DEFAULT_URL } from './broker-url.ts'
import { wholeNumber } from './client-command.ts'
import { EXIT } from './exit-code.ts'
import { freePortFrom, portIsFree } from './free-port.ts'
import { onLeave, onUnread } from './leave.ts'
import { logLine } from './log-lines.ts'
import { note, print } from './terminal.ts'

// `pnpm dev` runs a broker, workers with the handlers of the examples, and a server for the pages of the examples. Each
// is a process of its own, so that any can be killed to see what happens.

const project = join(import.meta.dirname, '..', '..', '..')
const command = join(import.meta.dirname, 'main.ts')
const examples = join(project, 'examples')
const pageServer = join(examples, 'pages', 'src', 'serve.ts')
/** Modules of handlers by the name of the process that runs them. */
const workers = {
  worker: join(examples, 'photo-resize', 'src', 'tasks.ts'),
  thumbs: join(examples, 'photo-app', 'src', 'handlers.ts'),
}
const dataFile = process.env.SLUICE_DATA_FILE ?? join(project, '.sluice', 'broker.db')

const HOST = '127.0.0.1'
const port = await choosePort()
const url = brokerUrl(`ws://${HOST}:${port}`)
const FIRST_PAGE_PORT = 5173
const pagePort = await freePortFrom(FIRST_PAGE_PORT, HOST)

const START_LOOKS_MAX = 100
const START_LOOK_EVERY_MS = 100
/** The pages are no part of the queue, so the next steps do not wait longer for them. */
const PAGES_WAIT_MS = 15_000
/** A child that has not left after this time is killed. */
const LEAVE_MS = 20_000
/** How long tasks may continue. It is shorter, so that the rest is handed back. */
const GRACE_MS = 15_000

interface Part {
  name: string
  child: ChildProcess
  ended: Promise<unknown>
}

interface Page {
  url: string
  title: string
}

/** If it is set, the broker requires tokens, and they are signed here. */
const secret = process.env.SLUICE_TOKEN_SECRET
const TOKEN_MS = 30 * 24 * 60 * 60 * 1000

let leaving = false

/**
 * Starts a child in its own process group, so that Ctrl-C reaches only this process, which ends its children in order.
 * The channel closes if this process dies without notice, and so tells the child.
 */
function start(name: string, args: string[], environment: Record<string, string> = {}, script = command): Part {
  const child = spawn(process.execPath, [script, ...args], {
    cwd: project,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // The port is passed as a flag.
    env: { ...process.env, SLUICE_PORT: undefined, SLUICE_URL: url.webSocket, ...environment },
  })
  for (const stream of [child.stdout, child.stderr]) {
    let rest = ''
    stream?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) print(`${styleText('dim', name.padEnd(6))} ${logLine(line)}`)
    })
  }
  print(`${styleText('dim', name.padEnd(6))} starting (process ${child.pid})`)
  return { name, child, ended: once(child, 'exit') }
}

async function end({ child, ended }: Part): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const overdue = setTimeout(() => child.kill('SIGKILL'), LEAVE_MS)
  child.kill('SIGTERM')
  await ended
  clearTimeout(overdue)
}

async function signedToken(sub: string, scope: string): Promise<string> {
  const { signToken } = await import('@sluice/broker')
  return signToken(secret as string, { sub, scope }, TOKEN_MS)
}

/** A photo has more bytes than the defaults allow, and the pages have an origin of their own. What is set wins. */
function brokerEnvironment(): Record<string, string> {
  const origins = pagePort === undefined ? [] : [`http://${HOST}:${pagePort}`, `http://localhost:${pagePort}`]
  const { SLUICE_ALLOWED_ORIGINS: stated, ...others } = process.env
  const bounds = {
    SLUICE_BODY_BYTES_MAX: String(8 * 1024 ** 2),
    SLUICE_FRAME_BYTES_MAX: String(16 * 1024 ** 2),
    SLUICE_SEND_BUFFER_BYTES_MAX: String(32 * 1024 ** 2),
  }
  const isBounded = Object.keys(bounds).some((name) => others[name] !== undefined)
  const allowed = [...(stated ? [stated] : []), ...origins].join(',')
  return { ...(isBounded ? {} : bounds), ...(allowed === '' ? {} : { SLUICE_ALLOWED_ORIGINS: allowed }) }
}

/** The pages, as soon as they are served. None if the server has ended, or takes too long. */
async function servedPages({ child, ended }: Part): Promise<Page[]> {
  const served = once(child, 'message').then(([message]) => (message as { pages: Page[] }).pages)
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<Page[]>((resolve) => {
    timer = setTimeout(() => resolve([]), PAGES_WAIT_MS)
  })
  const pages = await Promise.race([served, ended.then(() => []), late])
  clearTimeout(timer)
  return pages
}

/** The requested port, otherwise the first free one from the default on. */
async function choosePort(): Promise<number> {
  const usual = Number(new URL(DEFAULT_URL).port)
  const stated = portIn(process.env.SLUICE_PORT)
  const free = stated === undefined ? await freePortFrom(usual, HOST) : undefined
  if (free !== undefined) {
    if (free !== usual) note(`Port ${usual} is taken: this broker takes ${free}.`)
    return free
  }
  if (stated !== undefined && (await portIsFree(stated, HOST))) return stated
  note(`Port ${stated ?? usual} is taken. Let a free one be found, or name another:`)
  note('  npx -y pnpm@12 dev')
  note('  SLUICE_PORT=8000 npx -y pnpm@12 dev')
  process.exit(EXIT.failed)
}

/** Kubernetes sets an address there for a service named sluice. Then nobody requested a port. */
function portIn(stated: string | undefined): number | undefined {
  if (stated === undefined || stated.startsWith('tcp://')) return undefined
  try {
    return wholeNumber('SLUICE_PORT', 1, 65_535)(stated)
  } catch (caught) {
    note((caught as Error).message)
    process.exit(EXIT.usage)
  }
}

async function ready(): Promise<boolean> {
  for (let look = 0; look < START_LOOKS_MAX && !leaving; look++) {
    const response = await fetch(`${url.http}/readyz`).catch(() => undefined)
    await response?.body?.cancel()
    if (response?.ok) return true
    await new Promise((resolve) => setTimeout(resolve, START_LOOK_EVERY_MS))
  }
  return false
}

async function printNextSteps(pages: readonly Page[]): Promise<void> {
  // pnpm may be available only through npx.
  const step = (args: string, about: string) =>
    print(`  ${styleText('cyan', `npx -y pnpm@12 ${args}`.padEnd(60))} ${styleText('dim', about)}`)
  print('')
  print(`  ${styleText('bold', 'Sluice is running.')} Ctrl-C stops all of it.`)
  print('')
  for (const { url: page, title } of pages) print(`  ${styleText('cyan', page.padEnd(60))} ${styleText('dim', title)}`)
  if (pages.length > 0) print('')
  print(`  tasks  ${url.webSocket}`)
  print(`  http   ${url.http}/v1/queues`)
  print(`  data   ${relative(process.cwd(), dataFile)}`)
  print('')
  print('  In a second terminal:')
  if (url.webSocket !== DEFAULT_URL) print(`  ${styleText('cyan', `export SLUICE_URL=${url.webSocket}`)}`)
  if (secret !== undefined) print(`  ${styleText('cyan', `export SLUICE_TOKEN=${await signedToken('you', 'admin')}`)}`)
  step('--filter @sluice/example-photo-resize submit', 'resize a folder')
  step(`sluice submit hello '{"name":"Ada"}'`, 'a task that waits')
  step('sluice watch', 'see it move')
  step('sluice dead list', 'what failed, why')
  if (secret === undefined) {
    print('')
    print('  With tokens, end this and type:')
    print(`  ${styleText('cyan', 'SLUICE_TOKEN_SECRET="$(openssl rand -base64 48)" npx -y pnpm@12 dev')}`)
  }
  print('')
}

async function main(): Promise<number> {
  const parts: Part[] = []
  const left = Promise.withResolvers<number>()
  const leave = async (exitCode: number) => {
    if (leaving) return
    leaving = true
    // The broker is the first part. It ends last, so that it still gets the workers' results.
    await Promise.all(parts.slice(1).map(end))
    await Promise.all(parts.map(end))
    left.resolve(exitCode)
  }
  onLeave(() => {
    print('')
    print('Leaving: the workers finish what they have, then the broker ends.')
    void leave(EXIT.ok)
  })
  onUnread(() => void leave(EXIT.unread))
  const add = (part: Part) => {
    parts.push(part)
    void part.ended.then(() => {
      if (!leaving) note(`The ${part.name} ended by itself; ending the rest.`)
      void leave(EXIT.failed)
    })
  }

  /** The pages are only a help: without them the rest goes on. */
  const addPages = (): Promise<Page[]> => {
    if (pagePort === undefined) {
      note(`No port from ${FIRST_PAGE_PORT} on is free: the example pages are not served.`)
      return Promise.resolve([])
    }
    const part = start('pages', ['--port', String(pagePort), '--broker', url.webSocket], {}, pageServer)
    parts.push(part)
    void part.ended.then(() => {
      if (!leaving) note('The example pages are not served any more; its lines above say why. The rest goes on.')
    })
    return servedPages(part)
  }

  add(start('broker', ['broker', '--port', String(port), '--data-file', dataFile], brokerEnvironment()))
  const pages = addPages()
  if (await ready()) {
    const token: Record<string, string> =
      secret === undefined ? {} : { SLUICE_TOKEN: await signedToken('dev-worker', 'work') }
    for (const [name, module] of Object.entries(workers))
      add(start(name, ['worker', module, '--grace-ms', String(GRACE_MS)], token))
    const served = await pages
    if (!leaving) await printNextSteps(served)
  } else if (!leaving) {
    note('The broker did not get ready; its lines above say why. To run a second one:')
    note('  SLUICE_DATA_FILE=.sluice/second.db npx -y pnpm@12 dev')
    await leave(EXIT.failed)
  }
  return left.promise
}

process.exitCode = await main()
