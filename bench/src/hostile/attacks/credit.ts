import { Bodies, type BrokerMessage, type ClientMessage } from '@sluice/protocol'
import { type Attack, Tally } from '../attack.ts'
import { Peer } from '../peer.ts'

const CREDIT = 5
const TOO_MUCH = 10_000_000
const BATCH = 1000
/** Submissions that are sent without a look at the submit credit, 10,000 tasks. */
const SUBMISSIONS = 30

const idOf = (round: number, n: number) =>
  `01890a5d-ac96-774b-${(0x8000 + round).toString(16)}-${n.toString(16).padStart(12, '0')}`

const creditOf = (credit: number): ClientMessage => ({ type: 'credit', credit, queues: ['attic'] })

const leasesIn = (heard: readonly BrokerMessage[]): number =>
  heard.reduce((sum, message) => sum + (message.type === 'deliver' ? message.leases.length : 0), 0)

/** Submits more than it may without an answer, and asks for deliveries that it never settles. */
async function round(peer: Peer, index: number, tally: Tally): Promise<void> {
  const from = index * SUBMISSIONS * BATCH
  for (let n = 0; n < SUBMISSIONS; n += 1) {
    const ids = Array.from({ length: BATCH }, (_, i) => idOf(index, from + n * BATCH + i))
    const bodies = Bodies.ofTexts(ids.map(() => '1'))
    peer.say({ type: 'submit', ref: n, queue: 'attic', watch: false, ids, bodies, options: { ttlMs: 1000 } })
  }
  const settled = await peer.asked(1_000_000 + index)
  const answers = settled.filter(({ type }) => type === 'submitted').length
  if (answers === SUBMISSIONS) tally.meet('submissions beyond the credit, all answered')
  else tally.breach(`${SUBMISSIONS} submissions got ${answers} answers`)
}

export const credit: Attack = {
  name: 'credit',
  about: 'credit that is exceeded, raised without end, or never given back',
  attempts: { quick: 2, full: 20 },
  async run({ url, token, attempts }) {
    const tally = new Tally()
    const peer = await Peer.welcomed(url, token)
    const worker = await Peer.welcomed(url, token)
    if (peer === undefined || worker === undefined) throw new Error('the attacker was not let in with its own token')
    let held = 0
    for (let i = 0; i < attempts; i += 1) {
      tally.attempts += 1
      await round(peer, i, tally)
      const again = Array.from({ length: 50 }, () => creditOf(CREDIT))
      held += leasesIn(await worker.asked(i, ...again))
      if (held > CREDIT) tally.breach(`${held} deliveries were held with a credit of ${CREDIT}`)
      else tally.meet('within the credit')
      const greedy = await Peer.welcomed(url, token)
      const heard = (await greedy?.asked(i, creditOf(TOO_MUCH))) ?? []
      if (leasesIn(heard) === 0) tally.meet('refused')
      else tally.breach(`a credit of ${TOO_MUCH} was taken`)
      greedy?.socket.terminate()
    }
    peer.socket.terminate()
    worker.socket.terminate()
    return tally
  },
}
