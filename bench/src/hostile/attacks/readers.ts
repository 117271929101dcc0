import { sleep } from '../../wait.ts'
import { type Attack, portOf, Tally } from '../attack.ts'
import { frameOf, HANDSHAKE, helloFrame, OPCODE, Wire } from '../wire.ts'

const LET_IN_MS = 30_000
const WIDTH = 50
const HEARD_MS = 2000
/** Each asks so often: for more than the system takes for a connection. */
const ROUNDS = 60
const EVERY_MS = 50
/** Asked in one frame; an answer takes about as many bytes as its question. */
const QUERIES = 5

const ids = Array.from({ length: 1000 }, (_, n) => `01890a5d-ac96-774b-bcce-${n.toString(16).padStart(12, '0')}`)
const query = JSON.stringify({ type: 'query', ref: 1, ids })

/** A part asks over HTTP, as fast as it may. */
const isOverHttp = (index: number) => index % 5 === 0

export const readers: Attack = {
  name: 'readers',
  about: '500 connections that ask for much, and never read an answer',
  attempts: { quick: 10, full: 500 },
  // A connection may have a whole frame half received and as much unread: about 1 MiB each.
  rssMiBMax: 500,
  async run(ground) {
    const tally = new Tally()
    const port = portOf(ground)
    const begin = Buffer.concat([Buffer.from(HANDSHAKE), helloFrame(ground.token)])
    const questions = frameOf(OPCODE.text, `[${Array<string>(QUERIES).fill(query).join()}]`)
    const request = `GET /v1/tasks?limit=1000 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${ground.token}\r\n\r\n`
    const wires: Wire[] = []
    while (wires.length < ground.attempts) {
      const some = Array.from(
        { length: Math.min(WIDTH, ground.attempts - wires.length) },
        (_, n) => new Wire(port, isOverHttp(wires.length + n) ? '' : begin),
      )
      for (const [n, wire] of some.entries()) {
        if (!isOverHttp(wires.length + n)) await wire.until(() => wire.texts.length > 0, LET_IN_MS)
        wire.socket.pause()
      }
      wires.push(...some)
    }
    tally.attempts = wires.length
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const [n, wire] of wires.entries()) {
        // What the broker does not read waits here, so no more is given to the system than it takes.
        if (wire.socket.writableLength === 0) wire.write(isOverHttp(n) ? request : questions)
      }
      await sleep(EVERY_MS)
    }
    for (const wire of wires) {
      // What it was told shows once it reads.
      wire.socket.resume()
      const isRefused = await wire.until(() => wire.texts.some((text) => text.includes('"busy"')), HEARD_MS)
      tally.meet(isRefused ? 'refused' : wire.how)
      wire.end()
    }
    return tally
  },
}
