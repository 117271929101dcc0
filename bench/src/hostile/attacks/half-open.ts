import { type Attack, portOf, Tally } from '../attack.ts'
import { hold } from '../holding.ts'
import { frameOf, HANDSHAKE, helloFrame, OPCODE, Wire } from '../wire.ts'

const AT_MOST_MS = 60_000
const LET_IN_MS = 30_000
const WIDTH = 50

export const halfOpen: Attack = {
  name: 'half-open',
  about: 'welcome connections that answer no ping, half of them within a message that grows and never ends',
  attempts: { quick: 20, full: 400 },
  quickHosting: { pingEveryMs: 1000 },
  async run(ground) {
    const tally = new Tally()
    const begin = Buffer.concat([Buffer.from(HANDSHAKE), helloFrame(ground.token)])
    const wires: Wire[] = []
    while (wires.length < ground.attempts) {
      const some = Array.from(
        { length: Math.min(WIDTH, ground.attempts - wires.length) },
        () => new Wire(portOf(ground), begin),
      )
      for (const wire of some) await wire.until(() => wire.texts.length > 0, LET_IN_MS)
      wires.push(...some)
    }
    const amid = new Set(wires.filter((_, n) => n % 2))
    for (const wire of amid) wire.write(frameOf(OPCODE.text, '[', { statedBytes: 100_000 }))
    const say = (wire: Wire) => amid.has(wire) && wire.write(' ')
    await hold(tally, wires, { what: 'half-open connections end after', atMostMs: AT_MOST_MS, say })
    return tally
  },
}
