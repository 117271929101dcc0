/**
 * Submits every photo of a folder and waits for the results:
 *
 *   node src/submit.ts [FOLDER] [--out FOLDER] [--url ws://127.0.0.1:7331]
 *
 * Exits with 0 when each photo has an outcome, dead letters included: they are a result, and are listed with their
 * reason. Exits with 1 when a photo has none.
 */
import { readdir } from 'node:fs/promises'
import { extname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { createClient, TaskDeadError, type TaskHandle } from '@sluice/client'
import { progressLine } from './progress-line.ts'
import { type ResizedPhoto, resizePhoto } from './tasks.ts'

const SIZES = [1600, 800, 320]
const EXTENSIONS = new Set(['.jpg', '.jpeg', '.png'])

const example = join(import.meta.dirname, '..')
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    out: { type: 'string', default: join(example, 'resized') },
    url: { type: 'string', default: process.env.SLUICE_URL ?? 'ws://127.0.0.1:7331' },
  },
})
// Where the command was typed: pnpm runs it in the example's folder.
const here = process.env.INIT_CWD ?? process.cwd()
const photos = resolve(here, positionals[0] ?? join(example, 'photos'))
const folder = resolve(here, values.out)

type Ending =
  | { kind: 'resized'; name: string; pictures: ResizedPhoto[] }
  | { kind: 'dead'; name: string; error: TaskDeadError }
  | { kind: 'unknown'; name: string; error: Error }

const entries = await readdir(photos).catch((error: Error) => {
  console.error(`no photos: ${error.message}`)
  process.exit(1)
})
const names = entries.filter((name) => EXTENSIONS.has(extname(name).toLowerCase())).sort()
if (names.length === 0) {
  console.error(`no photos (.jpg, .jpeg, .png) in ${photos}`)
  process.exit(1)
}

const token = process.env.SLUICE_TOKEN
const client = createClient({ url: values.url, name: 'photo-resize', ...(token === undefined ? {} : { token }) })
const line = progressLine(process.stderr, names.length, SIZES.length)
line.say(`connecting to ${values.url}`)
client.onStateChange((state) => line.connection(state))

const handles = await client.submitMany(
  resizePhoto,
  names.map((name) => ({ path: join(photos, name), folder, sizes: SIZES })),
)
line.say(`${handles.length} photos submitted: from here on they are safe, whatever is killed`)
const endings = await Promise.all(handles.map((handle, i) => follow(handle, names[i]!)))
line.end()
await client.close()

print(endings)
process.exitCode = endings.some((ending) => ending.kind === 'unknown') ? 1 : 0

async function follow(handle: TaskHandle<ResizedPhoto[]>, name: string): Promise<Ending> {
  void followProgress(handle, name)
  try {
    const pictures = await handle.result()
    line.finished(name, pictures.length)
    return { kind: 'resized', name, pictures }
  } catch (error) {
    line.finished(name, 0)
    return error instanceof TaskDeadError
      ? { kind: 'dead', name, error }
      : { kind: 'unknown', name, error: error as Error }
  }
}

async function followProgress(handle: TaskHandle<ResizedPhoto[]>, name: string): Promise<void> {
  for await (const progress of handle.progress()) {
    line.progress(name, (progress as { done: number }).done)
  }
}

function print(endings: Ending[]): void {
  const wide = Math.max(...endings.map((ending) => ending.name.length))
  console.log(`\n${'photo'.padEnd(wide)}  ${SIZES.map((size) => `${size} px`.padEnd(22)).join('')}`.trimEnd())
  for (const ending of endings) {
    if (ending.kind === 'resized') {
      const cells = ending.pictures.map(({ width, height, bytes }) =>
        `${`${width}×${height}`.padEnd(9)} ${String(Math.ceil(bytes / 1024)).padStart(5)} KB`.padEnd(22),
      )
      console.log(`${ending.name.padEnd(wide)}  ${cells.join('')}`.trimEnd())
    }
  }
  const resized = endings.filter((ending) => ending.kind === 'resized').length
  console.log(`\n${resized} of ${endings.length} photos resized, in ${folder}`)
  const dead = endings.filter((ending) => ending.kind === 'dead')
  if (dead.length > 0) {
    console.log(`\ndead letters: ${dead.length}`)
    for (const { name, error } of dead) {
      // What a worker says must not be able to move the cursor.
      const message = (error.error?.message ?? error.reason).replace(/[\p{Cc}\p{Bidi_Control}]+/gu, ' ')
      console.log(`  ${name}: ${message} (${error.reason}, attempts: ${error.attempts}, task ${error.id})`)
    }
  }
  for (const ending of endings) {
    if (ending.kind === 'unknown') {
      console.error(`no outcome for ${ending.name}: ${ending.error.message}`)
    }
  }
}
