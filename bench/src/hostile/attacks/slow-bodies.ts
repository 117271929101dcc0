import { type Attack, portOf, Tally } from '../attack.ts'
import { hold } from '../holding.ts'
import { postOf, Wire } from '../wire.ts'

/** 30 s, and 2 s until the broker looks. */
const AT_MOST_MS = 32_500

export const slowBodies: Attack = {
  name: 'slow-bodies',
  about: 'requests whose bodies come a byte at a time, half of them in chunks',
  attempts: { quick: 20, full: 500 },
  quickHosting: { requestTimeoutMs: 500 },
  async run(ground) {
    const tally = new Tally()
    const begin = [
      postOf('/v1/tasks', ground.token, '{', 'Content-Length: 100000'),
      postOf('/v1/tasks', ground.token, '', 'Transfer-Encoding: chunked'),
    ]
    const wires = Array.from({ length: ground.attempts }, (_, n) => new Wire(portOf(ground), begin[n % 2]))
    const say = (wire: Wire) => wire.write(wires.indexOf(wire) % 2 === 0 ? ' ' : '1\r\n \r\n')
    await hold(tally, wires, { what: 'slow bodies end after', atMostMs: AT_MOST_MS, say })
    return tally
  },
}
