import { readFileSync } from 'node:fs'
import type { Measured } from '../bench.ts'
import { type BrokerProcess, startBroker } from '../broker.ts'
import { type Child, Processes } from '../child.ts'
import { machineMs } from '../clock.ts'
import { atMost, type Figure, figure } from '../figure.ts'
import { Scratch } from '../machine.ts'
import { sleep, until } from '../wait.ts'
import { isDeadOutcome } from './outcome.ts'
import type { ProducerReport, ToldTask } from './producer.ts'
import { seededRandom } from './random.ts'
import { recordedOutcomes } from './recorded.ts'
import {
  changedOutcomes,
  countDuplicates,
  type Kill,
  liveAtKill,
  parseStarts,
  type Start,
  type Verdict,
} from './verdict.ts'

const workerProcess = new URL('./worker.ts', import.meta.url)
const producerProcess = new URL('./producer.ts', import.meta.url)

const queue = 'torture'
const workers = 2
const producers = 2

export interface TortureSettings {
  /** Rounds for each kind of victim. */
  rounds: number
  seed: number
  /** Tasks that each producer has under way. */
  inFlight: number
  /** Tasks that each worker handles at once. */
  concurrency: number
  /** A handler takes 0 to this many ms. */
  workMsMax: number
  /** The kill comes at a random moment of the load's first so many ms, and the load goes on for as long after the restart. */
  loadMs: number
  /** How long the broker keeps what a killed worker held. */
  graceMs: number
  /** Of all rounds' tasks, so many are asked for again after a last kill. */
  recheckMax: number
}

/** After the load has ended, a task without an outcome for this long is lost. */
const lostAfterMs = 60_000

type Victim = 'broker' | 'worker'

interface TortureWorker {
  child: Child
  log: string
}

export async function torture(settings: TortureSettings, report: (line: string) => void): Promise<Measured> {
  const { rounds, seed, inFlight, concurrency, workMsMax, loadMs, graceMs, recheckMax } = settings
  const random = seededRandom(seed)
  using scratch = new Scratch()
  await using processes = new Processes()
  const journal = {
    durability: 'strict',
    path: scratch.file('journal.db'),
    engine: { queueResultsMax: 10_000_000, graceMs },
  } as const
  let broker = await startBroker(processes, journal)
  const port = Number(new URL(broker.url).port)

  const startWorkerProcess = async (log: string): Promise<TortureWorker> => {
    const child = await processes.start(workerProcess, { url: broker.url, queue, concurrency, log })
    return { child, log }
  }
  let logs = 0
  const nextLog = () => scratch.file(`worker-${logs++}.log`)
  const working = await Promise.all(Array.from({ length: workers }, () => startWorkerProcess(nextLog())))
  const submitting = await Promise.all(
    Array.from({ length: producers }, () =>
      processes.start(producerProcess, { url: broker.url, queue, inFlight, workMsMax }),
    ),
  )

  const restartBroker = async (): Promise<BrokerProcess> => {
    const restarted = await startBroker(processes, { ...journal, port })
    const ready = async () => (await fetch(`${restarted.httpUrl}/readyz`)).status === 200
    await until('the broker is ready again', ready, 60_000, 5)
    return restarted
  }
  /** Kills, starts anew, and says when; of a worker also which log was its. */
  const killOne = async (victim: Victim): Promise<Kill & { victimLogs: string[] }> => {
    const index = Math.floor(random() * workers)
    const killedMs = machineMs()
    if (victim === 'broker') {
      await broker.child.kill()
      const restartedMs = machineMs()
      broker = await restartBroker()
      return { killedMs, restartedMs, victimLogs: logsOf(working) }
    }
    const { child, log } = working[index]!
    await child.kill()
    const restartedMs = machineMs()
    working[index] = await startWorkerProcess(nextLog())
    return { killedMs, restartedMs, victimLogs: [log] }
  }

  const everything: ToldTask[] = []
  const started = new Set<string>()
  let startsSeen = new Map<string, number>()
  /** The starts in these logs since the last round. */
  const newStarts = (paths: readonly string[], seen: ReadonlyMap<string, number>): Start[] =>
    paths.flatMap((path) => parseStarts(readFileSync(path, 'utf8').slice(seen.get(path) ?? 0)))

  const round = async (victim: Victim): Promise<Verdict & { restartMs: number }> => {
    const before = startsSeen
    const logsBefore = logsOf(working)
    await Promise.all(submitting.map((producer) => producer.call('go')))
    await sleep(loadMs * (0.2 + 0.8 * random()))
    const killMs = machineMs()
    const kill = await killOne(victim)
    const restartMs = machineMs() - killMs
    await sleep(loadMs * random())
    const reports = await Promise.all(
      submitting.map((producer) => producer.call<ProducerReport>('stop', { limitMs: lostAfterMs })),
    )
    const refused = reports.flatMap((each) => each.refused)
    if (refused.length > 0) throw new Error(`the client gave up on ${refused.length} tasks, first: ${refused[0]}`)
    const accepted = reports.flatMap((each) => each.accepted)
    everything.push(...accepted)
    const told = new Map(accepted.map((task) => [task.id, task]))
    const paths = [...new Set([...logsBefore, ...logsOf(working)])]
    const starts = newStarts(paths, before)
    startsSeen = new Map(paths.map((path) => [path, readFileSync(path, 'utf8').length]))
    return {
      accepted: accepted.length,
      lost: accepted.filter(({ outcome }) => outcome === undefined).map(({ id }) => id),
      changed: changedOutcomes(accepted, await recordedOutcomes(broker.httpUrl, [...told.keys()])),
      dead: accepted.flatMap(({ outcome }) => (outcome !== undefined && isDeadOutcome(outcome) ? [outcome] : [])),
      duplicates: countDuplicates(starts, started),
      live: liveAtKill(newStarts(kill.victimLogs, before), told, kill),
      restartMs,
    }
  }

  const verdicts: Record<Victim, (Verdict & { restartMs: number })[]> = { broker: [], worker: [] }
  for (let index = 0; index < rounds; index++) {
    for (const victim of ['broker', 'worker'] as const) {
      const verdict = await round(victim)
      verdicts[victim].push(verdict)
      report(
        `round ${index + 1}, kill -9 of ${victim === 'broker' ? 'the broker' : 'a worker'}: ${verdict.accepted} accepted, ` +
          `${verdict.lost.length} lost, ${verdict.changed.length} changed, ${verdict.duplicates} duplicates of ${verdict.live} live leases`,
      )
      for (const outcome of verdict.dead) report(`  ${outcome}`)
    }
  }

  // Once more from the disk alone: what was told in any round is still what is recorded.
  await broker.child.kill()
  broker = await restartBroker()
  const again = sample(everything, recheckMax, random)
  const rechecked = await recordedOutcomes(
    broker.httpUrl,
    again.map(({ id }) => id),
  )
  const changedLater = changedOutcomes(again, rechecked)

  const all = [...verdicts.broker, ...verdicts.worker]
  const total = (count: (verdict: Verdict) => number) => all.reduce((sum, verdict) => sum + count(verdict), 0)
  return {
    configuration: {
      seed,
      processes: `one broker (strict), ${workers} workers, ${producers} producers`,
      'rounds, each kind': rounds,
      'in flight, each producer': inFlight,
      'concurrency, each worker': concurrency,
      'handler ms': `0 – ${workMsMax}`,
      'kill at ms': `${Math.round(loadMs * 0.2)} – ${loadMs} of the load`,
      'session grace ms': graceMs,
      'asked again after a last restart': again.length,
      'live leases':
        'tasks started and without a told outcome at the kill: without deliveries not started, with outcomes on their way',
    },
    figures: [
      figure('tasks accepted', 'tasks', [total(({ accepted }) => accepted)]),
      figure('accepted tasks lost', 'tasks', [total(({ lost }) => lost.length)], atMost(0)),
      figure(
        'outcomes recorded twice',
        'tasks',
        [total(({ changed }) => changed.length) + changedLater.length],
        atMost(0),
      ),
      figure('dead letters', 'tasks', [total(({ dead }) => dead.length)], atMost(0)),
      ...victimFigures('broker', verdicts.broker),
      ...victimFigures('worker', verdicts.worker),
      figure(
        'broker ready again',
        'ms',
        verdicts.broker.map(({ restartMs }) => restartMs),
      ),
    ],
  }
}

function victimFigures(victim: Victim, verdicts: readonly Verdict[]): Figure[] {
  return [
    figure(
      `${victim} killed: leases live`,
      'leases',
      verdicts.map(({ live }) => live),
    ),
    figure(
      `${victim} killed: duplicate deliveries`,
      'tasks',
      verdicts.map(({ duplicates }) => duplicates),
    ),
    figure(
      `${victim} killed: rounds with more duplicates than live leases`,
      'rounds',
      [verdicts.filter(({ duplicates, live }) => duplicates > live).length],
      atMost(0),
    ),
  ]
}

function logsOf(working: readonly TortureWorker[]): string[] {
  return working.map(({ log }) => log)
}

/** At most `countMax` of the items, drawn without replacement. */
function sample<T>(items: readonly T[], countMax: number, random: () => number): T[] {
  const rest = [...items]
  for (let index = 0; index < Math.min(countMax, rest.length); index++) {
    const other = index + Math.floor(random() * (rest.length - index))
    ;[rest[index], rest[other]] = [rest[other]!, rest[index]!]
  }
  return rest.slice(0, countMax)
}
