import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, extname, join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'

const example = join(import.meta.dirname, '..')
const root = join(example, '..', '..')
const photos = join(example, 'photos')
const sizes = [1600, 800, 320]
const broken = 'broken.jpg'

let names: string[]
beforeAll(async () => {
  names = (await readdir(photos)).sort()
})

test('the folder holds what the example promises: many photos, some of 12 megapixels, some turned, one broken', async () => {
  const good = names.filter((name) => name !== broken)
  const metadata = await Promise.all(good.map((name) => sharp(join(photos, name)).metadata()))
  expect(good.length).toBeGreaterThanOrEqual(24)
  expect(metadata.filter(({ width, height }) => width * height >= 12e6).length).toBeGreaterThanOrEqual(3)
  expect(metadata.filter(({ orientation }) => (orientation ?? 1) > 1).length).toBeGreaterThanOrEqual(3)
  expect(new Set(metadata.map(({ format }) => format))).toEqual(new Set(['jpeg', 'png']))
  await expect(sharp(join(photos, broken)).toBuffer()).rejects.toThrow()
})

/** A command that runs, with all that it has written so far. */
interface Running {
  child: ChildProcess
  output: string
}

describe('a folder of photos, with the worker and the broker killed half-way', () => {
  let folder: string
  let out: string
  let url: string
  const running: Running[] = []

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-photos-'))
    out = join(folder, 'resized')
  })
  afterAll(async () => {
    for (const { child } of running) {
      child.kill('SIGKILL')
    }
    await rm(folder, { recursive: true, force: true })
  })

  function start(script: string, args: string[]): Running {
    const child = spawn(process.execPath, [join(root, script), ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    const started = { child, output: '' }
    const keep = (text: string) => {
      started.output += text
    }
    child.stdout.setEncoding('utf8').on('data', keep)
    child.stderr.setEncoding('utf8').on('data', keep)
    running.push(started)
    return started
  }

  async function startBroker(port: string): Promise<Running> {
    const broker = start('packages/cli/src/main.ts', [
      ...['broker', '--port', port, '--data-file', join(folder, 'broker.db')],
    ])
    url = await vi.waitUntil(() => /"url":"ws:([^"]+)"/.exec(broker.output)?.[1], { timeout: 90_000 })
    return broker
  }

  const startWorker = () =>
    start('packages/cli/src/main.ts', [
      ...['worker', join(example, 'src', 'tasks.ts'), '--url', `ws:${url}`, '--concurrency', '2'],
    ])

  async function killAtOnce({ child }: Running): Promise<void> {
    child.kill('SIGKILL')
    await once(child, 'exit')
  }

  const resized = async () => (await readdir(out).catch(() => [])).filter((name) => !name.endsWith('.part')).sort()

  const done = (pictures: number) =>
    expect
      .poll(async () => (await resized()).length, { timeout: 90_000, interval: 30 })
      .toBeGreaterThanOrEqual(pictures)

  test('every photo ends resized or, where it is broken, as a dead letter with its reason', {
    timeout: 300_000,
  }, async ({ onTestFailed }) => {
    onTestFailed(() => console.error(running.map(({ output }) => output).join('\n')))
    const total = (names.length - 1) * sizes.length
    const broker = await startBroker('0')
    const worker = startWorker()
    const submit = start('examples/photo-resize/src/submit.ts', ['--out', out, '--url', `ws:${url}`])
    const submitted = once(submit.child, 'exit')

    await done(total / 5)
    await killAtOnce(worker)
    const atWorkersDeath = (await resized()).length
    const second = startWorker()

    await done(total / 2)
    await killAtOnce(broker)
    const atBrokersDeath = (await resized()).length
    await startBroker(new URL(`ws:${url}`).port)

    expect(await submitted).toEqual([0, null])
    expect(atWorkersDeath).toBeLessThan(total / 2)
    expect(atBrokersDeath).toBeLessThan(total)

    const expected = names
      .filter((name) => name !== broken)
      .flatMap((name) => sizes.map((size) => pictureOf(name, size)))
    expect(await resized()).toEqual(expected.sort())
    for (const name of names) {
      if (name !== broken) {
        await expectRightSizes(name)
      }
    }

    expect(submit.output).toContain(`${names.length - 1} of ${names.length} photos resized`)
    expect(submit.output).toContain('dead letters: 1')
    expect(submit.output).toMatch(/broken\.jpg: broken\.jpg is damaged or no picture: .+ \(not_retryable/)
    const dead = await (await fetch(`http:${url}/v1/dead?queue=photos.resize`)).json()
    expect(dead).toMatchObject({
      tasks: [{ queue: 'photos.resize', reason: 'not_retryable', error: { message: expect.stringContaining(broken) } }],
    })
    const { queues } = (await (await fetch(`http:${url}/v1/queues`)).json()) as { queues: object[] }
    expect(queues).toContainEqual(
      expect.objectContaining({ name: 'photos.resize', succeeded: names.length - 1, dead: 1, ready: 0, leased: 0 }),
    )

    second.child.kill('SIGTERM')
    expect(await once(second.child, 'exit')).toEqual([0, null])
  })

  function pictureOf(name: string, size: number): string {
    return `${basename(name, extname(name))}-${size}${extname(name)}`
  }

  async function expectRightSizes(name: string): Promise<void> {
    const { autoOrient } = await sharp(join(photos, name)).metadata()
    const longer = Math.max(autoOrient.width, autoOrient.height)
    for (const size of sizes) {
      const picture = await sharp(join(out, pictureOf(name, size))).metadata()
      const scale = Math.min(size, longer) / longer
      expect(Math.abs(picture.width - autoOrient.width * scale), `${name} at ${size}`).toBeLessThan(1)
      expect(Math.abs(picture.height - autoOrient.height * scale), `${name} at ${size}`).toBeLessThan(1)
      expect(picture.orientation ?? 1, `${name} at ${size} is upright`).toBe(1)
    }
  }
})
