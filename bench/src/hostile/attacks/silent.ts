import { type Attack, portOf, Tally } from '../attack.ts'
import { hold } from '../holding.ts'
import { HANDSHAKE, Wire } from '../wire.ts'

/** `helloTimeoutMs`, or the time for headers with 2 s until the broker looks, is at most this. */
const AT_MOST_MS = 12_500

export const silent: Attack = {
  name: 'silent',
  about: 'connections that say nothing, half of them after the handshake',
  attempts: { quick: 40, full: 800 },
  quickHosting: { helloTimeoutMs: 500, requestTimeoutMs: 500 },
  async run(ground) {
    const tally = new Tally()
    const wires = Array.from({ length: ground.attempts }, (_, n) => new Wire(portOf(ground), n % 2 ? HANDSHAKE : ''))
    await hold(tally, wires, { what: 'silent connections end after', atMostMs: AT_MOST_MS })
    return tally
  },
}
