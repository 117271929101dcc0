import { rmSync } from 'node:fs'
import { type BrokerProcess, startBroker } from '../broker.ts'
import { type Child, Processes } from '../child.ts'
import { machineMs } from '../clock.ts'
import { Scratch } from '../machine.ts'
import type { BrokerSettings } from '../processes/broker.ts'
import { sleep, until } from '../wait.ts'
import { sessionsLost, type Told } from './heard.ts'
import type { LoadedWorker } from './loaded-worker.ts'
import { isDeadOutcome } from './outcome.ts'
import type { ProducerReport, ToldTask, TortureProducerSettings } from './producer.ts'
import { sample, seededRandom } from './random.ts'
import { outcomesIn, recordedOutcomes, type TaskView, taskViews } from './recorded.ts'
import { type Start, StartLog } from './start-log.ts'
import { changedOutcomes, countDuplicates, type Disruption, liveDuring, type Verdict } from './verdict.ts'
import type { TortureWorkerSettings } from './worker.ts'

const workerProcess = new URL('./worker.ts', import.meta.url)
const producerProcess = new URL('./producer.ts', import.meta.url)

const queue = 'torture'
const workers = 2
const producers = 2
/** After the load has ended, a task without an outcome for this long is lost. */
const lostAfterMs = 60_000
/** Tasks of earlier rounds that are still known, so that a run of any length takes the same room. */
const keptMax = 100_000

export interface LoadSettings {
  /** Tasks that each producer has under way. */
  inFlight: number
  /** Tasks that each worker handles at once. */
  concurrency: number
  /** A handler takes 0 to this many ms. */
  workMsMax: number
  /** The disruption comes at a random moment of the load's first so many ms, and the load goes on for as long after it. */
  loadMs: number
  leaseMs: number
  heartbeatMs: number
  /** How long the broker keeps what a worker without a connection holds. */
  graceMs: number
  /** Of all rounds' tasks, so many are asked for again after a last kill. */
  recheckMax: number
  /** Of each task; 1 is `retry: none`. Default: as good as no bound. */
  attemptsMax?: number
  /** Between two attempts to connect. Default: the client's. */
  backoffMsMax?: number
}

/** One round's verdict, and the starts that it was made from. */
export interface LoadedRound extends Verdict {
  starts: Start[]
  /** What the broker has recorded of each accepted task. */
  views: ReadonlyMap<string, TaskView>
  /** Sessions that workers and producers who lived through the round had to begin anew. */
  sessionsLost: number
  /** The tasks whose leases were revoked as expired while their workers lived, one for each lease. */
  revoked: string[]
}

/** A broker with strict durability, workers and producers, each in a process of its own, that live through all rounds. */
export class LoadedQueue implements AsyncDisposable {
  readonly settings: LoadSettings
  readonly working: LoadedWorker[] = []
  broker!: BrokerProcess
  readonly #scratch = new Scratch()
  readonly #processes = new Processes()
  readonly #journal: BrokerSettings
  readonly #producers: Child[] = []
  readonly #told: ToldTask[] = []
  readonly #started = new Set<string>()
  readonly #toldBefore = new WeakMap<Child, Told>()
  #logs = 0

  private constructor(settings: LoadSettings) {
    this.settings = settings
    this.#journal = {
      durability: 'strict',
      path: this.#scratch.file('journal.db'),
      engine: { queueResultsMax: 2 * keptMax, graceMs: settings.graceMs },
      hosting: { heartbeatMs: settings.heartbeatMs },
    }
  }

  static async start(settings: LoadSettings): Promise<LoadedQueue> {
    const loaded = new LoadedQueue(settings)
    try {
      const processes = loaded.#processes
      loaded.broker = await startBroker(processes, loaded.#journal)
      loaded.working.push(...(await Promise.all(Array.from({ length: workers }, () => loaded.#startWorker()))))
      const { inFlight, workMsMax, leaseMs, attemptsMax = 1000, backoffMsMax } = settings
      const producing: TortureProducerSettings = {
        url: loaded.broker.url,
        queue,
        inFlight,
        workMsMax,
        leaseMs,
        attemptsMax,
        ...(backoffMsMax !== undefined && { backoffMsMax }),
      }
      const starting = Array.from({ length: producers }, () => processes.start(producerProcess, producing))
      loaded.#producers.push(...(await Promise.all(starting)))
      return loaded
    } catch (error) {
      await loaded[Symbol.asyncDispose]()
      throw error
    }
  }

  get configuration(): Record<string, string | number> {
    const { inFlight, concurrency, workMsMax, loadMs, leaseMs, graceMs, attemptsMax = 1000 } = this.settings
    return {
      processes: `one broker (strict), ${workers} workers, ${producers} producers`,
      'in flight, each producer': inFlight,
      'concurrency, each worker': concurrency,
      'handler ms': `0 – ${workMsMax}`,
      'fault at ms': `${Math.round(loadMs * 0.2)} – ${loadMs} of the load`,
      'lease ms': leaseMs,
      attempts: attemptsMax,
      'session grace ms': graceMs,
    }
  }

  /** Kills the broker and starts it anew, on the same port. Resolves to how long it was away, in ms. */
  async restartBroker(): Promise<Disruption> {
    const fromMs = machineMs()
    await this.broker.child.kill()
    const untilMs = machineMs()
    const port = Number(new URL(this.broker.url).port)
    this.broker = await startBroker(this.#processes, { ...this.#journal, port })
    const ready = async () => (await fetch(`${this.broker.httpUrl}/readyz`)).status === 200
    await until('the broker is ready again', ready, 60_000, 5)
    return { fromMs, untilMs, victims: [...this.working] }
  }

  /** Kills one worker and starts another in its place. */
  async replaceWorker(index: number): Promise<Disruption> {
    const victim = this.working[index]!
    const fromMs = machineMs()
    await victim.child.kill()
    const untilMs = machineMs()
    this.working[index] = await this.#startWorker()
    return { fromMs, untilMs, victims: [victim] }
  }

  /** Loads the queue, disrupts it meanwhile, waits for every outcome, and judges. */
  async round(random: () => number, disrupt: () => Promise<Disruption>): Promise<LoadedRound> {
    const { loadMs } = this.settings
    const before = [...this.working]
    await Promise.all(this.#producers.map((producer) => producer.call('go')))
    await sleep(loadMs * (0.2 + 0.8 * random()))
    const disruption = await disrupt()
    await sleep(loadMs * random())
    const reports = await Promise.all(
      this.#producers.map((producer) => producer.call<ProducerReport>('stop', { limitMs: lostAfterMs })),
    )
    const refused = reports.flatMap((each) => each.refused)
    if (refused.length > 0) throw new Error(`the client gave up on ${refused.length} tasks, first: ${refused[0]}`)
    const accepted = reports.flatMap((each) => each.accepted)
    const told = new Map(accepted.map((task) => [task.id, task]))
    const startsOf = new Map([...new Set([...before, ...this.working])].map((each) => [each, each.log.next()]))
    for (const each of before) if (!this.working.includes(each)) rmSync(each.log.path)
    const starts = [...startsOf.values()].flat()
    const victimStarts = disruption.victims.flatMap((victim) => startsOf.get(victim) ?? [])
    const duplicates = countDuplicates(starts, this.#started)
    this.#keep(accepted)
    const views = await taskViews(this.broker.httpUrl, [...told.keys()])
    const heard = await this.#heardSince()
    return {
      accepted: accepted.length,
      lost: accepted.filter(({ outcome }) => outcome === undefined).map(({ id }) => id),
      changed: changedOutcomes(accepted, outcomesIn(views)),
      dead: accepted.flatMap(({ outcome }) => (outcome !== undefined && isDeadOutcome(outcome) ? [outcome] : [])),
      duplicates,
      live: liveDuring(victimStarts, told, disruption),
      starts,
      views,
      ...heard,
    }
  }

  /** Once more from the disk alone: the tasks whose recorded outcome is not the one that was told in their round. */
  async recheck(seed: number): Promise<{ asked: number; changed: string[] }> {
    await this.restartBroker()
    const again = sample(this.#told, this.settings.recheckMax, seededRandom(seed))
    const ids = again.map(({ id }) => id)
    return { asked: ids.length, changed: changedOutcomes(again, await recordedOutcomes(this.broker.httpUrl, ids)) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#processes[Symbol.asyncDispose]()
    this.#scratch[Symbol.dispose]()
  }

  /** What befell workers and producers since the last call. */
  async #heardSince(): Promise<{ sessionsLost: number; revoked: string[] }> {
    let lost = 0
    const revoked: string[] = []
    for (const child of [...this.working.map(({ child }) => child), ...this.#producers]) {
      const told = await child.call<Told>('told')
      const before = this.#toldBefore.get(child)
      lost += sessionsLost(told) - (before ? sessionsLost(before) : 0)
      revoked.push(...told.expired.slice(before?.expired.length ?? 0))
      this.#toldBefore.set(child, told)
    }
    return { sessionsLost: lost, revoked }
  }

  async #startWorker(): Promise<LoadedWorker> {
    const log = new StartLog(this.#scratch.file(`worker-${this.#logs++}.log`))
    const { concurrency, backoffMsMax } = this.settings
    const settings: TortureWorkerSettings = {
      url: this.broker.url,
      queue,
      concurrency,
      log: log.path,
      ...(backoffMsMax !== undefined && { backoffMsMax }),
    }
    const child = await this.#processes.start(workerProcess, settings)
    return { child, log }
  }

  #keep(accepted: readonly ToldTask[]): void {
    this.#told.push(...accepted)
    this.#told.splice(0, this.#told.length - keptMax)
    for (const id of this.#started) {
      if (this.#started.size <= keptMax) break
      this.#started.delete(id)
    }
  }
}
