import { signToken } from '@sluice/broker'
import type { Scale } from '../bench.ts'
import { startBroker } from '../broker.ts'
import { Processes } from '../child.ts'
import { atMost, type Figure, figure } from '../figure.ts'
import { Scratch } from '../machine.ts'
import type { MemoryUse } from '../processes/broker.ts'
import { sleep } from '../wait.ts'
import type { Attack, Ground, Spoils } from './attack.ts'
import { badTokens } from './bad-tokens.ts'
import { Honest } from './honest.ts'

const attackerProcess = new URL('../processes/attacker.ts', import.meta.url)
const SECRET = 'a secret of thirty-two bytes or more, for attacks'
const TOKEN_MS = 86_400_000
/** Queues that there may be: those of the honest client and of the attacker. */
const QUEUES = new Set(['victim', 'attic'])
const MIB = 1024 ** 2
const QUICK_SHARE = 1000
const QUICK_MIN = 200
const BASELINE_MS = { quick: 300, full: 3000 }

export interface AttackResult {
  attack: string
  configuration: Record<string, string | number>
  figures: Figure[]
  /** What went against a promise. */
  findings: string[]
}

/** Makes each attack on a broker of its own, with access control and a file, beside an honest client. */
export async function hostile(
  { attacks, seed, scale }: { attacks: readonly Attack[]; seed: number; scale: Scale },
  say: (line: string) => void,
): Promise<AttackResult[]> {
  const results: AttackResult[] = []
  for (const attack of attacks) {
    const attempts = scale === 'full' ? attack.attempts : Math.max(QUICK_MIN, attack.attempts / QUICK_SHARE)
    const result = await attacked(attack, attempts, seed, scale)
    say(`${attack.name}: ${attempts} attempts, ${result.findings.length} findings`)
    results.push(result)
  }
  return results
}

async function attacked(attack: Attack, attempts: number, seed: number, scale: Scale): Promise<AttackResult> {
  using scratch = new Scratch()
  await using processes = new Processes()
  const settings = { durability: 'strict', path: scratch.file('journal.db'), access: { secret: SECRET } } as const
  const { child, url, httpUrl } = await startBroker(processes, settings, ['--expose-gc'])
  const honest = await Honest.begin(url, await signToken(SECRET, { sub: 'honest', scope: 'admin' }, TOKEN_MS))
  const ground: Ground = {
    url,
    httpUrl,
    token: await signToken(SECRET, { sub: 'stranger', scope: 'submit:attic work:attic' }, TOKEN_MS),
    badTokens: await badTokens(SECRET, Math.floor(Date.now() / 1000)),
    victim: honest,
    attempts,
    seed,
  }
  const attacker = await processes.start(attackerProcess, { name: attack.name, ground: plain(ground) })
  const before = await honest.tasks()
  const baselineMs = await honest.p99(sleep(BASELINE_MS[scale]))
  const memoryBefore = await child.call<MemoryUse>('memory')
  const spoils = attacker.call<Spoils>('attack')
  const [{ attempts: made, breaches, met }, attackedMs] = await Promise.all([spoils, honest.p99(spoils)])
  const memoryAfter = await child.call<MemoryUse>('memory')
  const findings = [...breaches]
  if ((await honest.tasks()) !== before) findings.push("the honest client's tasks have changed")
  const foreign = (await queueNames(httpUrl)).filter((name) => !QUEUES.has(name))
  if (foreign.length > 0) findings.push(`there are queues that nobody may have made: ${foreign.join(', ')}`)
  honest.end()
  return {
    attack: attack.name,
    configuration: { about: attack.about, attempts, seed, scale },
    figures: [
      figure('attempts', '', [made]),
      ...Object.entries(met)
        .sort()
        .map(([what, count]) => figure(what, '', [count])),
      figure('unauthorised effects', '', [findings.length], atMost(0)),
      figure('RSS', 'MiB more', [(memoryAfter.rss - memoryBefore.rss) / MIB], atMost(100)),
      figure('honest p99 before', 'ms', [baselineMs]),
      figure('honest p99 meanwhile', 'ms', [attackedMs]),
      figure('honest p99', 'times', [attackedMs / baselineMs], atMost(3)),
    ],
    findings,
  }
}

/** What can be sent to another process. */
function plain({ victim: { ids, leases, session }, ...ground }: Ground): Ground {
  return { ...ground, victim: { ids, leases, session } }
}

async function queueNames(httpUrl: string): Promise<string[]> {
  const token = await signToken(SECRET, { sub: 'witness', scope: 'admin' }, TOKEN_MS)
  const response = await fetch(`${httpUrl}/v1/queues`, { headers: { authorization: `Bearer ${token}` } })
  const { queues } = (await response.json()) as { queues: { name: string }[] }
  return queues.map(({ name }) => name)
}
