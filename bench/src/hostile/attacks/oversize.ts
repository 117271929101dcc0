import { type Attack, inParallel, portOf, Tally } from '../attack.ts'
import { frameOf, HANDSHAKE, helloFrame, OPCODE, postOf, Wire } from '../wire.ts'

const SOCKETS = 4
const GIVE_UP_MS = 30_000
const MIB = 1024 ** 2
const id = '01890a5d-ac96-774b-bcce-00000000eeee'
const spaces = (bytes: number) => ' '.repeat(bytes)

interface Oversized {
  /** Sent over a WebSocket that is welcome, over one that is not yet, or over plain TCP. */
  over: 'welcome' | 'upgraded' | 'tcp'
  bytes: (token: string) => Buffer | string
  /** How the broker may answer. */
  refused: RegExp
}

const frame =
  (payload: string, more = {}) =>
  () =>
    frameOf(OPCODE.text, payload, more)
const OVERSIZED: Record<string, Oversized> = {
  'a frame that states 2 ** 40 bytes': {
    over: 'welcome',
    bytes: frame('[', { statedBytes: 2 ** 40 }),
    refused: /^closed 1009/,
  },
  'a frame of 4 MiB': { over: 'welcome', bytes: frame(spaces(4 * MIB)), refused: /^(closed 1009|cut)/ },
  'a frame of a few bytes too many': { over: 'welcome', bytes: frame(spaces(MIB + 100)), refused: /^closed 1009/ },
  'a hello of 200 KiB': { over: 'upgraded', bytes: frame(spaces(200 * 1024)), refused: /^closed 1009/ },
  'a compressed frame': { over: 'welcome', bytes: frame('[]', { reserved: 0x40 }), refused: /^closed 1002/ },
  'a body of 300 KiB': {
    over: 'welcome',
    bytes: frame(`[{"type":"submit","ref":1,"queue":"attic","ids":["${id}"],"bodies":["${'x'.repeat(300 * 1024)}"]}]`),
    refused: /too_large/,
  },
  'a list of 5,000 ids': {
    over: 'welcome',
    bytes: frame(JSON.stringify([{ type: 'query', ref: 1, ids: Array<string>(5000).fill(id) }])),
    refused: /too_large|closed/,
  },
  'a name of 10,000 characters': {
    over: 'welcome',
    bytes: frame(JSON.stringify([{ type: 'submit', ref: 1, queue: 'q'.repeat(10_000), ids: [id], bodies: [1] }])),
    refused: /too_large|bad_message|closed/,
  },
  'a request that states 2 GiB': {
    over: 'tcp',
    bytes: (token) => postOf('/v1/tasks', token, '{', `Content-Length: ${2 ** 31}`),
    refused: /^413/,
  },
  'chunks of 4 MiB': {
    over: 'tcp',
    bytes: (token) =>
      postOf('/v1/tasks', token, `400000\r\n${spaces(4 * MIB)}\r\n0\r\n\r\n`, 'Transfer-Encoding: chunked'),
    refused: /^(413|cut)/,
  },
  'headers of 64 KiB': {
    over: 'tcp',
    bytes: () => `GET /v1/queues HTTP/1.1\r\nHost: localhost\r\nX-Much: ${'x'.repeat(65_536)}\r\n\r\n`,
    refused: /^431/,
  },
  'a path of 64 KiB': {
    over: 'tcp',
    bytes: () => `GET /${'x'.repeat(65_536)} HTTP/1.1\r\nHost: localhost\r\n\r\n`,
    refused: /^(431|414)/,
  },
  'a token of 12 KiB': {
    over: 'tcp',
    bytes: () => postOf('/v1/tasks', 'x'.repeat(12_288), '{}'),
    refused: /^401/,
  },
}

export const oversize: Attack = {
  name: 'oversize',
  about: 'frames, bodies, lists, names, requests and headers that are too large, or say that they are',
  attempts: { quick: 26, full: 3000 },
  async run(ground) {
    const tally = new Tally()
    const port = portOf(ground)
    const all = Object.entries(OVERSIZED)
    await inParallel(ground.attempts, SOCKETS, async (index) => {
      tally.attempts += 1
      const [what, { over, bytes, refused }] = all[index % all.length] as [string, Oversized]
      const wire = new Wire(port)
      if (over !== 'tcp') wire.write(HANDSHAKE)
      if (over === 'welcome') {
        wire.write(helloFrame(ground.token))
        await wire.until(() => wire.texts.length > 0, GIVE_UP_MS)
        wire.texts.length = 0
      }
      wire.write(bytes(ground.token))
      const answer = () => `${wire.how} ${wire.texts.join()}`
      if (await wire.until(() => refused.test(answer()), GIVE_UP_MS))
        tally.meet(wire.texts.length > 0 ? 'refused' : wire.how)
      else tally.breach(`${what}: answered ${answer().slice(0, 200)}`)
      wire.end()
    })
    return tally
  },
}
