import { sleep } from '../../wait.ts'
import { type Attack, portOf, Tally } from '../attack.ts'
import { HANDSHAKE, Wire } from '../wire.ts'

const PER_SECOND = 1000
const STEP_MS = 20
const GIVE_UP_MS = 30_000

export const handshakes: Attack = {
  name: 'handshakes',
  about: '1,000 handshakes a second that come to nothing',
  attempts: { quick: 500, full: 30_000 },
  async run(ground) {
    const tally = new Tally()
    const port = portOf(ground)
    const startMs = performance.now()
    const open: Promise<void>[] = []
    const shake = async (): Promise<void> => {
      const wire = new Wire(port, HANDSHAKE)
      await wire.until(() => wire.status !== undefined, GIVE_UP_MS)
      // A machine that cannot take so many leaves some waiting. What counts is that others are served meanwhile.
      const isUnanswered = wire.status === undefined && !wire.isOver
      tally.meet(isUnanswered ? 'unanswered' : wire.how === 'open' ? 'upgraded' : wire.how)
      wire.end()
    }
    while (tally.attempts < ground.attempts) {
      const due = Math.min(ground.attempts, Math.ceil(((performance.now() - startMs) * PER_SECOND) / 1000) + 1)
      for (; tally.attempts < due; tally.attempts += 1) open.push(shake())
      await sleep(STEP_MS)
    }
    await Promise.all(open)
    tally.met['a second'] = Math.round((tally.attempts * 1000) / (performance.now() - startMs))
    return tally
  },
}
