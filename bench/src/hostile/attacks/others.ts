import { Bodies, type BrokerMessage, type ClientMessage } from '@sluice/protocol'
import { seededRandom, wholeBetween } from '../../torture/random.ts'
import { type Attack, type Ground, Tally } from '../attack.ts'
import { Peer } from '../peer.ts'

const pick = <T>(list: readonly T[], random: () => number): T => list[wholeBetween(random, 0, list.length)] as T

/** What is tried on a lease or a task of the victim, and what an answer has to hold. */
type Attempt = (ground: Ground, random: () => number) => { say: ClientMessage; isRefused: RegExp }

const attempts: Record<string, Attempt> = {
  complete: ({ victim }, random) => ({
    say: { type: 'complete', ref: 1, leases: [pick(victim.leases, random)], bodies: Bodies.ofTexts(['"stolen"']) },
    isRefused: /lease_lost/,
  }),
  fail: ({ victim }, random) => ({
    say: { type: 'fail', ref: 1, failures: [{ lease: pick(victim.leases, random), error: { message: '' } }] },
    isRefused: /lease_lost/,
  }),
  release: ({ victim }, random) => ({
    say: { type: 'release', ref: 1, leases: [pick(victim.leases, random)] },
    isRefused: /lease_lost/,
  }),
  heartbeat: ({ victim }, random) => ({
    say: { type: 'heartbeat', ref: 1, leases: [pick(victim.leases, random)] },
    isRefused: /"lost":\[\d/,
  }),
  cancel: ({ victim }, random) => ({
    say: { type: 'cancel', ref: 1, ids: [pick(victim.ids, random)] },
    isRefused: /unknown_task/,
  }),
  watch: ({ victim }, random) => ({
    say: { type: 'watch', ref: 1, ids: [pick(victim.ids, random)] },
    isRefused: /"unknown":\[0\]/,
  }),
  query: ({ victim }, random) => ({
    say: { type: 'query', ref: 1, ids: [pick(victim.ids, random)] },
    isRefused: /"state":"unknown"/,
  }),
  submit: ({ victim }, random) => ({
    say: { type: 'submit', ref: 1, queue: 'attic', ids: [pick(victim.ids, random)], bodies: Bodies.ofTexts(['1']) },
    isRefused: /id_conflict/,
  }),
  submitElsewhere: () => ({
    say: {
      type: 'submit',
      ref: 1,
      queue: 'victim',
      ids: ['01890a5d-ac96-774b-bcce-00000000ffff'],
      bodies: Bodies.ofTexts(['1']),
    },
    isRefused: /not_permitted/,
  }),
  credit: () => ({ say: { type: 'credit', credit: 10, queues: ['victim'] }, isRefused: /not_permitted/ }),
}

const textOf = (messages: readonly BrokerMessage[]): string => JSON.stringify(messages)

export const others: Attack = {
  name: 'others',
  about: 'leases, tasks and sessions of another principal',
  attempts: { quick: 200, full: 50_000 },
  async run(ground) {
    const random = seededRandom(ground.seed)
    const tally = new Tally()
    const { url, token, victim } = ground
    const all = Object.entries(attempts)
    const resume = { session: victim.session, leases: [...victim.leases] }
    const resumed = await Peer.welcomed(url, token, { resume })
    const peer = await Peer.welcomed(url, token)
    if (peer === undefined || resumed === undefined) throw new Error('the attacker was not let in with its own token')
    const held = textOf(await resumed.asked(1, { type: 'heartbeat', ref: 2, leases: [...victim.leases] }))
    if (!attempts.heartbeat!(ground, random).isRefused.test(held)) tally.breach('a session of another was resumed')
    resumed.socket.terminate()
    for (let i = 0; i < ground.attempts; i += 1) {
      const [name, attempt] = all[i % all.length] as [string, Attempt]
      const { say, isRefused } = attempt(ground, random)
      tally.attempts += 1
      const heard = textOf(await peer.asked(1000 + i, say))
      if (isRefused.test(heard)) tally.meet('refused')
      else tally.breach(`${name} of what is another's was answered ${heard.slice(0, 200)}`)
    }
    peer.socket.terminate()
    return tally
  },
}
