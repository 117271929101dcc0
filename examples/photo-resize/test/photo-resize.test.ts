import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, extname, join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { example, freePort, killAtOnce, type Running, startNode, until } from './processes.ts'

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

describe('a folder of photos, with the worker and the broker killed half-way', () => {
  let folder: string
  let out: string
  let port: number
  const running: Running[] = []

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-photos-'))
    out = join(folder, 'resized')
    port = await freePort()
  })
  afterAll(async () => {
    for (const { child } of running) {
      child.kill('SIGKILL')
    }
    await rm(folder, { recursive: true, force: true })
  })

  function start(script: string, args: string[]): Running {
    const started = startNode(script, args)
    running.push(started)
    return started
  }

  async function startBroker(): Promise<Running> {
    const flags = ['--port', String(port), '--data-file', join(folder, 'broker.db'), '--log-level', 'warn']
    const broker = start('packages/cli/src/main.ts', ['broker', ...flags])
    const ready = async () =>
      broker.child.exitCode !== null || (await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => null))?.ok === true
    await until(ready, () => `the broker is ready: ${broker.output()}`)
    expect(broker.child.exitCode, broker.output()).toBeNull()
    return broker
  }

  const startWorker = () =>
    start('packages/cli/src/main.ts', [
      ...['worker', join(example, 'src', 'tasks.ts')],
      ...['--url', `ws://127.0.0.1:${port}`, '--concurrency', '2'],
    ])

  const resized = async () => (await readdir(out).catch(() => [])).filter((name) => !name.endsWith('.part')).sort()

  test('every photo ends resized or, where it is broken, as a dead letter with its reason', {
    timeout: 300_000,
  }, async () => {
    const total = (names.length - 1) * sizes.length
    const broker = await startBroker()
    const worker = startWorker()
    const submit = start('examples/photo-resize/src/submit.ts', ['--out', out, '--url', `ws://127.0.0.1:${port}`])
    const state = () => [submit, worker, broker].map((process) => process.output()).join('\n')

    await until(
      async () => (await resized()).length >= total / 5,
      () => `a fifth is done: ${state()}`,
    )
    await killAtOnce(worker)
    const atWorkersDeath = (await resized()).length
    const second = startWorker()

    await until(
      async () => (await resized()).length >= total / 2,
      () => `half is done: ${state()}\n${second.output()}`,
    )
    await killAtOnce(broker)
    const atBrokersDeath = (await resized()).length
    await startBroker()

    expect(await submit.exited, state()).toEqual({ code: 0, signal: null })
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

    expect(submit.output()).toContain(`${names.length - 1} of ${names.length} photos resized`)
    expect(submit.output()).toContain('dead letters: 1')
    expect(submit.output()).toMatch(/broken\.jpg: broken\.jpg is damaged or no picture: .+ \(not_retryable/)
    const dead = await (await fetch(`http://127.0.0.1:${port}/v1/dead?queue=photos.resize`)).json()
    expect(dead).toMatchObject({
      tasks: [{ queue: 'photos.resize', reason: 'not_retryable', error: { message: expect.stringContaining(broken) } }],
    })
    const { queues } = (await (await fetch(`http://127.0.0.1:${port}/v1/queues`)).json()) as { queues: object[] }
    expect(queues).toContainEqual(
      expect.objectContaining({ name: 'photos.resize', succeeded: names.length - 1, dead: 1, ready: 0, leased: 0 }),
    )

    second.child.kill('SIGTERM')
    expect(await second.exited, second.output()).toEqual({ code: 0, signal: null })
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
