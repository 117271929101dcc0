import { type Attack, portOf, Tally } from '../attack.ts'
import { hold } from '../holding.ts'
import { Wire } from '../wire.ts'

/** 10 s, and 2 s until the broker looks. */
const AT_MOST_MS = 12_500

export const slowHeaders: Attack = {
  name: 'slow-headers',
  about: 'requests whose headers come a byte at a time, and never end',
  attempts: { quick: 20, full: 500 },
  quickHosting: { requestTimeoutMs: 500 },
  async run(ground) {
    const tally = new Tally()
    const begin = 'GET /v1/queues HTTP/1.1\r\nHost: localhost\r\nX-Slow: '
    const wires = Array.from({ length: ground.attempts }, () => new Wire(portOf(ground), begin))
    await hold(tally, wires, { what: 'slow headers end after', atMostMs: AT_MOST_MS, say: (wire) => wire.write('x') })
    return tally
  },
}
