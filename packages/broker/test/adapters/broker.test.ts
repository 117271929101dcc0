import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Bodies, DEFAULT_LIMITS } from '@sluice/protocol'
import { afterEach, describe, expect, test } from 'vitest'
import { type Broker, type BrokerConfig, createBroker } from '../../src/index.ts'
import { JournalLockedError } from '../../src/journal/journal.ts'
import { taskId } from '../core/world.ts'
import { SocketPeer, upgradeStatus } from './socket-peer.ts'

const PROTOCOL = 'sluice.v1'
const cleanups: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

async function started(config: BrokerConfig = {}): Promise<Broker> {
  const broker = await createBroker({ journal: { kind: 'memory' }, port: 0, ...config })
  cleanups.push(() => broker.close())
  return broker
}

function directory(): string {
  const path = mkdtempSync(join(tmpdir(), 'sluice-broker-'))
  cleanups.push(() => rmSync(path, { recursive: true, force: true }))
  return path
}

function submission(ref: number, ids: number[]) {
  const bodies = Bodies.ofTexts(ids.map((n) => `{"n":${n}}`))
  return { type: 'submit', ref, queue: 'photos', ids: ids.map(taskId), bodies } as const
}

/** A broker in a process of its own, its output line by line. */
function child(mode: string, path: string) {
  const script = join(import.meta.dirname, 'broker-process.ts')
  const broker = spawn(process.execPath, [script, mode, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  cleanups.push(() => broker.kill('SIGKILL'))
  const exited = once(broker, 'exit').then(([code]) => code as number | null)
  const lines = createInterface(broker.stdout)[Symbol.asyncIterator]()
  return { broker, exited, line: async () => (await lines.next()).value as string }
}

describe('who may connect', () => {
  test.each([
    ['a page of another origin', [PROTOCOL], { origin: 'https://example.com' }, 403],
    ['a page whose origin only looks local', [PROTOCOL], { origin: 'http://localhost.example.com' }, 403],
    ['a page without an origin of its own', [PROTOCOL], { origin: 'null' }, 403],
    ['another host name for this machine', [PROTOCOL], { host: 'rebound.example.com' }, 403],
    ['no subprotocol', [], {}, 426],
    ['another subprotocol', ['graphql-ws'], {}, 426],
    ['a page of this machine', [PROTOCOL], { origin: 'http://localhost:5173' }, 101],
    ['a page that was allowed', [PROTOCOL], { origin: 'https://app.example.com' }, 101],
    ['a program', [PROTOCOL], {}, 101],
  ])('%s: %#', async (_, protocols, headers: Record<string, string>, status) => {
    const broker = await started({ allowedOrigins: ['https://app.example.com'] })
    expect(await upgradeStatus(broker.url, protocols, headers)).toBe(status)
  })

  test.each(['0.0.0.0', '::', '192.168.1.2', 'example.com'])(
    'an address beyond this machine is refused: %s',
    async (host) => {
      await expect(createBroker({ journal: { kind: 'memory' }, host, port: 0 })).rejects.toThrow(
        /needs access: .*loopback/,
      )
    },
  )
})

describe('what a connection may send', () => {
  test('garbage closes the one that sent it and disturbs no other', async () => {
    const broker = await started()
    const bad = await SocketPeer.welcomed(broker.url)
    const good = await SocketPeer.welcomed(broker.url)
    bad.socket.send(Buffer.from([0, 0, 0, 200, 1, 2, 3]))
    good.say(submission(1, [1]))
    expect(await bad.closed).toBe(4000)
    expect((await good.until('submitted')).refused).toEqual([])
  })

  test('a frame past the limit closes its connection and no other', async () => {
    const broker = await started()
    const bad = await SocketPeer.welcomed(broker.url)
    const good = await SocketPeer.welcomed(broker.url)
    bad.socket.send(Buffer.alloc(4 * 1024 ** 2))
    expect([1006, 1009]).toContain(await bad.closed)
    good.say(submission(1, [1]))
    expect((await good.until('submitted')).refused).toEqual([])
  })

  test('a frame in too many fragments closes its connection and no other', async () => {
    const broker = await started()
    const bad = await SocketPeer.welcomed(broker.url)
    for (let i = 0; i < 200; i += 1) bad.socket.send('[', { fin: false })
    expect([1006, 1008]).toContain(await bad.closed)
    const good = await SocketPeer.welcomed(broker.url)
    good.say(submission(1, [1]))
    expect((await good.until('submitted')).refused).toEqual([])
  })

  test('text that is not UTF-8 closes its connection and no other', async () => {
    const broker = await started()
    const bad = await SocketPeer.welcomed(broker.url)
    const submit = `[{"type":"submit","ref":1,"queue":"photos","ids":["${taskId(1)}"],"bodies":["größe"]}]`
    bad.socket.send(Buffer.from(submit, 'latin1'), { binary: false })
    expect(await bad.closed).toBe(4000)
    expect((await bad.until('error')).code).toBe('bad_frame')
    const good = await SocketPeer.welcomed(broker.url)
    good.say({ type: 'query', ref: 1, ids: [taskId(1)] })
    expect((await good.until('status')).tasks).toMatchObject([{ state: 'unknown' }])
  })

  test('[HOST-6] a connection without hello is closed', async () => {
    const broker = await started({ hosting: { helloTimeoutMs: 50 } })
    const peer = new SocketPeer(broker.url)
    expect(await peer.closed).toBe(4003)
    expect(peer.heard).toMatchObject([{ type: 'error', code: 'hello_timeout' }])
  })
})

describe('a broker', () => {
  test('speaks HTTP and WebSocket on one port', async () => {
    const broker = await started()
    const answer = await fetch(`${broker.httpUrl}/v1/tasks`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ queue: 'photos', id: taskId(1), body: { a: 1 } }),
    })
    expect([answer.status, await answer.json()]).toEqual([202, { tasks: [{ id: taskId(1), accepted: true }] }])
    const worker = await SocketPeer.welcomed(broker.url)
    worker.say({ type: 'credit', credit: 1, queues: ['photos'] })
    const { leases, bodies } = await worker.until('deliver')
    expect(new TextDecoder().decode(bodies.at(0))).toBe('{"a":1}')
    worker.say({ type: 'complete', ref: 1, leases, bodies: Bodies.ofTexts(['"b"']) })
    const task = await fetch(`${broker.httpUrl}/v1/tasks/${taskId(1)}?waitMs=10000`)
    expect(await task.json()).toMatchObject({ state: 'succeeded', result: 'b' })
  })

  test('[HOST-10] a worker with much credit and large bodies is served over a real socket', async () => {
    const broker = await started({ hosting: { sendBufferBytesHigh: 256 * 1024, sendBufferBytesMax: 4 * 1024 ** 2 } })
    const peer = await SocketPeer.welcomed(broker.url)
    const bytes = new Uint8Array(250_000)
    for (let n = 0; n < 60; n += 1) {
      const bodies = Bodies.ofPieces([bytes], [bytes.length])
      peer.say({ type: 'submit', ref: n, queue: 'photos', contentType: 'image/png', ids: [taskId(n)], bodies })
    }
    await peer.until('submitted', ({ ref }) => ref === 59)
    peer.say({ type: 'credit', credit: 100, queues: ['photos'] })
    await peer.until('deliver', ({ ids }) => ids.includes(taskId(59)))
    const delivered = peer.heard.filter((message) => message.type === 'deliver')
    expect(delivered.flatMap(({ ids }) => ids)).toEqual(Array.from({ length: 60 }, (_, n) => taskId(n)))
    const lengths = delivered.flatMap(({ bodies }) => bodies.lengths)
    expect(new Set(lengths)).toEqual(new Set([bytes.length]))
  })

  test('[HOST-10] a worker that has read nothing for a while gets the rest, however few bytes may wait for it', async () => {
    const broker = await started({ hosting: { sendBufferBytesHigh: 1000 } })
    const worker = await SocketPeer.welcomed(broker.url)
    const producer = await SocketPeer.welcomed(broker.url)
    worker.say({ type: 'credit', credit: 1000, queues: ['photos'] })
    worker.socket.pause()
    const bytes = new Uint8Array(20_000)
    // More than the system's buffers take.
    const last = 600
    for (let n = 1; n <= last; n += 1) {
      const bodies = Bodies.ofPieces([bytes], [bytes.length])
      producer.say({ type: 'submit', ref: n, queue: 'photos', contentType: 'image/png', ids: [taskId(n)], bodies })
      await producer.until('submitted', ({ ref }) => ref === n)
    }
    worker.socket.resume()
    await worker.until('deliver', ({ ids }) => ids.includes(taskId(last)))
  })

  test('a port in use is an error that frees the journal', async () => {
    const first = await started()
    const path = join(directory(), 'broker.db')
    const journal = { kind: 'sqlite', path } as const
    await expect(createBroker({ journal, port: first.port })).rejects.toMatchObject({ code: 'EADDRINUSE' })
    await started({ journal })
  })

  test('a second broker on the same file is refused', async () => {
    const journal = { kind: 'sqlite', path: join(directory(), 'broker.db') } as const
    const first = await started({ journal })
    await expect(createBroker({ journal, port: 0 })).rejects.toBeInstanceOf(JournalLockedError)
    await first.close()
    await started({ journal })
  })

  test('a setting that is unknown or cannot work is named, all of them at once, and nothing is started', async () => {
    const path = join(directory(), 'broker.db')
    const config = {
      journal: { kind: 'sqlite', path, durability: 'strickt', sync: true },
      prot: 5,
      engine: { queueTaskMax: 5 },
      hosting: { waiters: 5, limits: { framesMax: 5 } },
      allowedOrigins: ['https://app.example.com/', 'example.com', 'https://app.example.com'],
    }
    const refused = await createBroker(config as BrokerConfig).catch((error: Error) => error)
    expect(refused).toBeInstanceOf(RangeError)
    expect((refused as Error).message.split('\n')).toEqual([
      expect.stringMatching(/^prot is no setting; there are journal, host, port, /),
      expect.stringMatching(/^engine\.queueTaskMax is no setting; there are queueTasksMax, /),
      expect.stringMatching(/^hosting\.waiters is no setting; there are limits, connectionsMax, /),
      expect.stringMatching(/^hosting\.limits\.framesMax is no setting; there are frameBytesMax, /),
      'journal.sync is no setting; there are kind, path, durability',
      'journal.durability must be strict or relaxed, not strickt',
      'allowedOrigins must be origins such as https://app.example.com, not "https://app.example.com/"',
      'allowedOrigins must be origins such as https://app.example.com, not "example.com"',
    ])
    expect(existsSync(path)).toBe(false)
    const kind = createBroker({ journal: { kind: 'postgres' } } as unknown as BrokerConfig)
    await expect(kind).rejects.toThrow('journal.kind must be sqlite or memory, not postgres')
  })

  test('limits that are left out keep their defaults', async () => {
    const broker = await started({ hosting: { limits: { bodyBytesMax: 1000 } } })
    const peer = await SocketPeer.welcomed(broker.url)
    const { limits } = await peer.until('welcome')
    expect(limits).toEqual({ ...DEFAULT_LIMITS, bodyBytesMax: 1000 })
  })

  test('frames that no batch could hold are refused at the start', async () => {
    await expect(started({ hosting: { stagedBytesMax: 64 * 1024 ** 2 } })).rejects.toThrow(/stagedBytesMax/)
  })

  test('closing tells every connection, may be asked for twice, and keeps what was accepted', async () => {
    const journal = { kind: 'sqlite', path: join(directory(), 'broker.db') } as const
    const first = await started({ journal })
    const peer = await SocketPeer.welcomed(first.url)
    peer.say(submission(1, [1, 2, 3]))
    await peer.until('submitted')
    await Promise.all([first.close(), first.close()])
    expect(await peer.closed).toBe(4006)
    const second = await started({ journal })
    const again = await SocketPeer.welcomed(second.url)
    again.say({ type: 'query', ref: 1, ids: [1, 2, 3].map(taskId) })
    expect((await again.until('status')).tasks.map(({ state }) => state)).toEqual(['ready', 'ready', 'ready'])
  })

  test('a drain does not wait for leases that a closed broker will not hear of', async () => {
    const broker = await started()
    const peer = await SocketPeer.welcomed(broker.url)
    peer.say({ type: 'credit', credit: 1, queues: ['photos'] }, submission(1, [1]))
    await peer.until('deliver')
    const drained = broker.drain(600_000)
    await peer.until('drain')
    await broker.close()
    await drained
  })

  test('a closed broker leaves nothing open: its process ends by itself', async () => {
    const { exited, line } = child('once', join(directory(), 'broker.db'))
    await line()
    expect(await line()).toBe('closed')
    expect(await exited).toBe(0)
  })

  test('[HOST-1] a broker killed under load knows after a restart every id that it acknowledged', async () => {
    const path = join(directory(), 'broker.db')
    const acknowledged: number[] = []
    let next = 0
    for (let round = 0; round < 3; round += 1) {
      const { broker, exited, line } = child('serve', path)
      const peer = await SocketPeer.welcomed(await line())
      let open = true
      void peer.closed.then(() => {
        open = false
      })
      for (let ref = 0; open && ref < 20; ref += 1) {
        const ids = Array.from({ length: 20 }, () => next++)
        peer.say(submission(ref, ids))
        if (ref === 15) setTimeout(() => broker.kill('SIGKILL'), 2 * round)
        const answered = peer.until('submitted', (message) => message.ref === ref).then(() => true)
        if (await Promise.race([answered, peer.closed.then(() => false)])) acknowledged.push(...ids)
      }
      await exited
    }
    expect(acknowledged.length).toBeGreaterThan(300)
    const { line } = child('serve', path)
    const peer = await SocketPeer.welcomed(await line())
    for (let i = 0; i < acknowledged.length; i += 1000) {
      const ids = acknowledged.slice(i, i + 1000)
      peer.say({ type: 'query', ref: i, ids: ids.map(taskId) })
      const { tasks } = await peer.until('status', ({ ref, more }) => ref === i && !more)
      expect(tasks.filter(({ state }) => state === 'unknown')).toEqual([])
    }
  })
})
