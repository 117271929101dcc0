import { loadavg } from 'node:os'
import { signToken } from '@sluice/broker'
import type { Scale } from '../bench.ts'
import { startBroker } from '../broker.ts'
import { Processes } from '../child.ts'
import { atMost, type Figure, figure, quantile } from '../figure.ts'
import { Scratch } from '../machine.ts'
import type { MemoryUse } from '../processes/broker.ts'
import { sleep } from '../wait.ts'
import { type Attack, type Ground, inParallel, portOf, type Spoils } from './attack.ts'
import { badTokens } from './bad-tokens.ts'
import { Honest } from './honest.ts'
import { HANDSHAKE, helloFrame, postOf, Wire } from './wire.ts'

const attackerProcess = new URL('../processes/attacker.ts', import.meta.url)
const SECRET = 'a secret of thirty-two bytes or more, for attacks'
const TOKEN_MS = 86_400_000
/** Queues that there may be: those of the honest client and of the attacker. */
const QUEUES = new Set(['victim', 'attic'])
const MIB = 1024 ** 2
const BASELINE_MS = { quick: 300, full: 3000 }
/** Good clients that come and go before anything is measured. */
const WARM_UP = { quick: 50, full: 4000 }
const WARM_UP_WIDTH = 8
const RSS_MIB_MAX = 100
const EFFECTS = 'unauthorised effects and failures'
const LET_IN_MS = 30_000

export interface AttackResult {
  attack: string
  configuration: Record<string, string | number>
  figures: Figure[]
  /** What went against a promise. */
  findings: string[]
}

export interface HostileSettings {
  attacks: readonly Attack[]
  seed: number
  scale: Scale
  /** Attempts of an attack, by its name, where they are not those of the scale. */
  attempts?: Readonly<Record<string, number>>
}

/**
 * Makes each attack on a broker of its own, with access control and a file, beside an honest client. `report` hears of each
 * when it is over.
 */
export async function hostile(
  settings: HostileSettings,
  report: (line: string, result: AttackResult) => void,
): Promise<AttackResult[]> {
  const { attacks, seed, scale } = settings
  const results: AttackResult[] = []
  for (const attack of attacks) {
    const attempts = settings.attempts?.[attack.name] ?? attack.attempts[scale]
    const startMs = performance.now()
    const result = await attacked(attack, attempts, seed, scale).catch((error: Error) => broken(attack, error))
    const seconds = Math.round((performance.now() - startMs) / 1000)
    report(`${attack.name}: ${attempts} attempts in ${seconds} s, ${result.findings.length} findings`, result)
    results.push(result)
  }
  return results
}

/** Where the broker crashed, or the honest client was cut off. */
function broken({ name, about }: Attack, { message }: Error): AttackResult {
  const findings = [`the attack was broken off: ${message}`]
  return {
    attack: name,
    configuration: { about },
    figures: [figure(EFFECTS, '', [findings.length], atMost(0))],
    findings,
  }
}

async function attacked(attack: Attack, attempts: number, seed: number, scale: Scale): Promise<AttackResult> {
  using scratch = new Scratch()
  await using processes = new Processes()
  const hosting = scale === 'quick' ? attack.quickHosting : undefined
  const settings = {
    durability: 'strict',
    path: scratch.file('journal.db'),
    access: { secret: SECRET },
    ...(hosting && { hosting }),
  } as const
  const { child, url, httpUrl } = await startBroker(processes, settings, ['--expose-gc'])
  const honest = await Honest.begin(url, await signToken(SECRET, { sub: 'honest', scope: 'admin' }, TOKEN_MS))
  const ground: Ground = {
    url,
    httpUrl,
    token: await signToken(SECRET, { sub: 'stranger', scope: 'submit:attic work:attic read:attic' }, TOKEN_MS),
    badTokens: await badTokens(SECRET, Math.floor(Date.now() / 1000)),
    victim: honest,
    attempts,
    seed,
  }
  const attacker = await processes.start(attackerProcess, { name: attack.name, ground: plain(ground) })
  await warmUp(ground, WARM_UP[scale])
  const before = await honest.tasks()
  const alone = await honest.waits(sleep(BASELINE_MS[scale]))
  const memoryBefore = await child.call<MemoryUse>('memory')
  const spoils = attacker.call<Spoils>('attack')
  // A broker that ends leaves the attack without answers.
  const crashed = child.ended.then((): never => {
    throw new Error('the broker ended during the attack')
  })
  const [{ attempts: made, breaches, met, took }, meanwhile] = await Promise.race([
    Promise.all([spoils, honest.waits(spoils)]),
    crashed,
  ])
  const failures = await child.call<string[]>('failures')
  const findings = [...breaches, ...failures.map((line) => `the broker logged: ${line}`)]
  if ((await honest.tasks()) !== before) findings.push("the honest client's tasks have changed")
  const foreign = (await queueNames(httpUrl)).filter((name) => !QUEUES.has(name))
  if (foreign.length > 0) findings.push(`there are queues that nobody may have made: ${foreign.join(', ')}`)
  // What the attacker was allowed to store is no leak.
  await dropQueue(httpUrl, 'attic')
  const memoryAfter = await child.call<MemoryUse>('memory')
  // Before and behind: the machine has other things to do, more at one time than at another.
  alone.push(...(await honest.waits(sleep(BASELINE_MS[scale]))))
  honest.end()
  const [aloneMs, meanwhileMs] = [quantile(alone, 0.99), quantile(meanwhile, 0.99)]
  return {
    attack: attack.name,
    configuration: { about: attack.about, attempts, seed, scale, load: (loadavg()[0] as number).toFixed(1) },
    figures: [
      figure('attempts', '', [made]),
      ...Object.entries(met)
        .sort()
        .map(([what, count]) => figure(what, '', [count])),
      ...Object.entries(took).map(([what, { samplesMs, atMostMs }]) =>
        figure(what, 'ms at most', [Math.max(...samplesMs)], atMost(atMostMs)),
      ),
      figure(EFFECTS, '', [findings.length], atMost(0)),
      figure('RSS', 'MiB more', [(memoryAfter.rss - memoryBefore.rss) / MIB], atMost(attack.rssMiBMax ?? RSS_MIB_MAX)),
      figure('heap', 'MiB more', [(memoryAfter.heapUsed - memoryBefore.heapUsed) / MIB]),
      figure('outside the heap', 'MiB more', [(memoryAfter.external - memoryBefore.external) / MIB]),
      figure('RSS at its peak', 'MiB more', [(memoryAfter.rssPeak - memoryBefore.rss) / MIB]),
      figure('honest p99 alone', 'ms', [aloneMs]),
      figure('honest p99 meanwhile', 'ms', [meanwhileMs]),
      figure('honest p99', 'times', [meanwhileMs / aloneMs], atMost(3)),
    ],
    findings,
  }
}

/**
 * Good clients connect, ask and go. The heap's young generation and the allocator grow to the size that a busy broker has
 * anyway, some 80 MiB, so that memory that is still used after an attack shows.
 */
async function warmUp(ground: Ground, clients: number): Promise<void> {
  const hello = Buffer.concat([Buffer.from(HANDSHAKE), helloFrame(ground.token)])
  const request = postOf('/v1/tickets', ground.token, '{}')
  await inParallel(clients, WARM_UP_WIDTH, async (index) => {
    const wire = new Wire(portOf(ground), index % 2 === 0 ? hello : request)
    await wire.until(() => (index % 2 === 0 ? wire.texts.length > 0 : wire.status !== undefined), LET_IN_MS)
    wire.end()
  })
}

/** What can be sent to another process. */
function plain({ victim: { ids, leases, session }, ...ground }: Ground): Ground {
  return { ...ground, victim: { ids, leases, session } }
}

async function asWitness(url: string, method = 'GET'): Promise<Response> {
  const token = await signToken(SECRET, { sub: 'witness', scope: 'admin' }, TOKEN_MS)
  return fetch(url, { method, headers: { authorization: `Bearer ${token}` } })
}

async function dropQueue(httpUrl: string, queue: string): Promise<void> {
  for (;;) {
    const response = await asWitness(`${httpUrl}/v1/queues/${queue}`, 'DELETE')
    const { more } = (await response.json()) as { more?: boolean }
    if (more !== true) return
  }
}

async function queueNames(httpUrl: string): Promise<string[]> {
  const response = await asWitness(`${httpUrl}/v1/queues`)
  const { queues } = (await response.json()) as { queues: { name: string }[] }
  return queues.map(({ name }) => name)
}
