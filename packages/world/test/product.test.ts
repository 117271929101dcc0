import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import * as broker from '@sluice/broker/core'
import * as client from '@sluice/client'
import * as engine from '@sluice/engine'
import * as machines from '@sluice/machines'
import * as protocol from '@sluice/protocol'
import { beforeAll, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../../', import.meta.url))

/** Modules without which a world would be about something else. */
const CORE = [
  'packages/engine/src/decide.ts',
  'packages/engine/src/evolve.ts',
  'packages/engine/src/lifecycle.ts',
  'packages/broker/src/core/host.ts',
  'packages/broker/src/core/connection.ts',
  'packages/broker/src/core/compaction.ts',
  'packages/broker/src/core/body-store.ts',
  'packages/broker/src/core/host-api.ts',
  'packages/broker/src/journal/event-encoder.ts',
  'packages/broker/src/journal/event-decoder.ts',
  'packages/client/src/client.ts',
  'packages/client/src/connection.ts',
  'packages/client/src/producer.ts',
  'packages/client/src/worker.ts',
  'packages/client/src/runner.ts',
  'packages/machines/src/connection.ts',
  'packages/machines/src/producer.ts',
  'packages/machines/src/worker.ts',
  'packages/protocol/src/codec.ts',
]

/** Runs a world in a process of its own and tells which module texts that process had, and how many functions of each were called. */
const SCRIPT = `
  import { createHash } from 'node:crypto'
  import { Session } from 'node:inspector/promises'
  import { registerHooks } from 'node:module'
  const loaded = {}
  registerHooks({
    load(url, context, next) {
      const module = next(url, context)
      if (module.source != null) loaded[url] = createHash('sha256').update(module.source).digest('hex')
      return module
    },
  })
  const { defaultScenario, runWorld } = await import(process.argv[1])
  const session = new Session()
  session.connect()
  await session.post('Profiler.enable')
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false })
  const operator = { submitEveryMs: 500, askEveryMs: 500 }
  const { tasks } = await runWorld({ ...defaultScenario, durationMs: 5000, operator }, 1)
  const { result } = await session.post('Profiler.takePreciseCoverage')
  const called = Object.fromEntries(
    result.map(({ url, functions }) => [url, functions.filter(({ ranges }) => ranges[0].count > 0).length]),
  )
  console.log(JSON.stringify({ tasks, loaded, called }))
`

let ran: { tasks: { succeeded: number }; loaded: Record<string, string>; called: Record<string, number> }
/** Digests of the texts that the process had of our own modules, by path. */
let modules: Map<string, string>
const worldFiles = globSync('packages/world/src/**/*.ts', { cwd: root })

beforeAll(() => {
  const entry = new URL('../src/index.ts', import.meta.url).href
  const output = execFileSync(process.execPath, ['--input-type=module', '--eval', SCRIPT, entry], { encoding: 'utf8' })
  ran = JSON.parse(output)
  modules = new Map(
    Object.entries(ran.loaded)
      .filter(([url]) => url.startsWith('file:') && !url.includes('/node_modules/'))
      .map(([url, digest]) => [fileURLToPath(url).slice(root.length), digest]),
  )
})

test('a world is run by the modules of the product, as they stand in its packages', () => {
  expect(ran.tasks.succeeded).toBeGreaterThan(0)
  expect(CORE.filter((path) => !ran.called[pathToFileURL(root + path).href])).toEqual([])
  for (const [path, digest] of modules) {
    expect(digest, path).toBe(
      createHash('sha256')
        .update(readFileSync(root + path))
        .digest('hex'),
    )
  }
})

test('nothing but the product and the world takes part, besides the chart library', () => {
  const strangers = Object.keys(ran.loaded).filter(
    (url) => !/\/packages\/(protocol|engine|machines|client|broker|testing|world)\/src\/|\/xstate\//.test(url),
  )
  expect(strangers).toEqual([])
})

test('the world declares nothing that bears the name of a part of the product', () => {
  const names = new Set(
    [broker, client, engine, machines, protocol].flatMap((face) =>
      Object.entries(face)
        .filter(([, value]) => typeof value === 'function')
        .map(([name]) => name),
    ),
  )
  expect(names.size).toBeGreaterThan(50)
  expect(worldFiles.length).toBeGreaterThan(20)
  const declaration = /^(?:export )?(?:default )?(?:abstract )?(?:async )?(?:class|function\*?|const|let|var) (\w+)/gm
  // What is around worlds, and not in them, may call its own things what it likes.
  const inside = worldFiles.filter((path) => !path.startsWith('packages/world/src/fuzz/'))
  const found = inside.flatMap((path) =>
    [...readFileSync(root + path, 'utf8').matchAll(declaration)]
      .map(([, name]) => name as string)
      .filter((name) => names.has(name))
      .map((name) => `${path}: ${name}`),
  )
  expect(found).toEqual([])
})

/** About two lines of code. */
const PASSAGE_TOKENS = 24
/** Of these so many names of members, texts or numbers: others say nothing of what they do. */
const TELLING_MIN = 5
const TOKEN =
  /'(?:\\.|[^'\\])*'|`(?:\\.|[^`\\])*`|[\p{ID_Start}_$#][\p{ID_Continue}$]*|\d[\w.]*|=>|\.{3}|[-+*/%&|^<>=!?]+|\S/gu
const ASIDE =
  /\/\*[\s\S]*?\*\/|^\s*\/\/.*$|^import [^;]*? from '.*'$|^(?:export )?(?:interface|type) [\s\S]*?\n(?=\n)/gm
const KEYWORD =
  /^(?:if|else|for|while|do|switch|case|default|return|throw|try|catch|finally|new|class|extends|const|let|function|async|await|yield|typeof|instanceof|in|of|this|super|null|undefined|true|false|break|continue|static|get|set)$/

/** Runs of code, whatever the names of its own that it uses and however it is laid out; those of members count. */
function passagesOf(path: string): string[] {
  const text = readFileSync(root + path, 'utf8').replace(ASIDE, '')
  const tokens = [...text.matchAll(TOKEN)].map(([token]) => token).filter((token) => token !== ';' && token !== ',')
  const shapes = tokens.map((token, at) =>
    /^[\p{ID_Start}_$#]/u.test(token) && !KEYWORD.test(token) && !/^[?.]+$/.test(tokens[at - 1] ?? '') ? '_' : token,
  )
  return shapes
    .slice(PASSAGE_TOKENS - 1)
    .map((_, at) => shapes.slice(at, at + PASSAGE_TOKENS))
    .filter(
      (shape) =>
        shape.filter((token) => token !== '_' && /^[\p{ID_Start}'`\d]/u.test(token) && !KEYWORD.test(token)).length >=
        TELLING_MIN,
    )
    .map((shape) => shape.join(' '))
}

test('no passage of the product stands in the world again', () => {
  const ofProduct = new Set(
    globSync('packages/{protocol,engine,machines,client,broker}/src/**/*.ts', { cwd: root }).flatMap(passagesOf),
  )
  expect(ofProduct.size).toBeGreaterThan(5000)
  // Both write down a hash that others have published.
  const own = worldFiles.filter((path) => path !== 'packages/world/src/fnv.ts')
  const found = own.flatMap((path) =>
    passagesOf(path)
      .filter((passage) => ofProduct.has(passage))
      .map((passage) => `${path}: ${passage}`),
  )
  expect(found).toEqual([])
})

test('the wire is spoken by the product, and besides it by what tampers with it', () => {
  const speakers = worldFiles.filter((path) => {
    const [, names = ''] =
      /^import \{([^}]*)\} from '@sluice\/protocol'$/m.exec(readFileSync(root + path, 'utf8')) ?? []
    return /\b(?:en|de)code\w*/.test(names)
  })
  const tampering = (path: string) => /\/src\/(?:network\/|nodes\/misdeed\.ts)/.test(path)
  expect(speakers.filter(tampering).length).toBeGreaterThan(0)
  expect(speakers.filter((path) => !tampering(path))).toEqual([])
})
