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

const id = (victim: Ground['victim'], random: () => number) => pick(victim.ids, random)

/** The same over HTTP: method, path, body, and what the status and the answer have to hold. */
type Request = (ground: Ground, random: () => number) => [string, string, unknown, RegExp]

const requests: Record<string, Request> = {
  'GET a task': ({ victim }, random) => ['GET', `/v1/tasks/${id(victim, random)}`, undefined, /^404/],
  'wait for a task': ({ victim }, random) => ['GET', `/v1/tasks/${id(victim, random)}?waitMs=1`, undefined, /^404/],
  'DELETE a task': ({ victim }, random) => ['DELETE', `/v1/tasks/${id(victim, random)}`, undefined, /^404/],
  'list tasks': () => ['GET', '/v1/tasks?queue=victim', undefined, /^200 .*"tasks":\[\]/],
  'list queues': () => ['GET', '/v1/queues', undefined, /^200 (?!.*victim)/],
  'list workers': ({ victim }) => ['GET', '/v1/workers', undefined, new RegExp(`^200 (?!.*${victim.session})`)],
  'list dead letters': () => ['GET', '/v1/dead?queue=victim', undefined, /^(200 .*"tasks":\[\]|403|404)/],
  submit: () => ['POST', '/v1/tasks', { queue: 'victim', body: 1 }, /^403/],
  're-submit': ({ victim }, random) => [
    'POST',
    '/v1/tasks',
    { queue: 'attic', id: id(victim, random), body: 1 },
    /^409/,
  ],
  redrive: ({ victim }, random) => ['POST', '/v1/dead/redrive', { ids: [id(victim, random)] }, /^40[34]/],
  'redrive a queue': () => ['POST', '/v1/dead/redrive', { queue: 'victim' }, /^40[34]/],
  purge: () => ['POST', '/v1/queues/purge', { queue: 'victim' }, /^40[34]/],
  'purge dead letters': () => ['POST', '/v1/dead/purge', { queue: 'victim' }, /^40[34]/],
  'drop a queue': () => ['DELETE', '/v1/queues/victim', undefined, /^40[34]/],
  revoke: () => ['POST', '/v1/revocations', { principal: 'honest' }, /^403/],
  'revoke a session': () => ['POST', '/v1/revocations', { session: 'worker-1' }, /^403/],
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
    const overHttp = Object.entries(requests)
    for (let i = 0; i < ground.attempts; i += 1) {
      if (i % 2 === 1) {
        const [name, request] = overHttp[((i - 1) / 2) % overHttp.length] as [string, Request]
        const [method, path, body, isRefused] = request(ground, random)
        tally.attempts += 1
        const heard = await answerTo(ground, method, path, body)
        if (isRefused.test(heard)) tally.meet('refused over HTTP')
        else tally.breach(`${name} of what is another's was answered ${heard.slice(0, 200)}`)
        continue
      }
      const [name, attempt] = all[(i / 2) % all.length] as [string, Attempt]
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

async function answerTo({ httpUrl, token }: Ground, method: string, path: string, body: unknown): Promise<string> {
  const response = await fetch(`${httpUrl}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return `${response.status} ${await response.text()}`
}
