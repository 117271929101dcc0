import type { DeadLetter, QueueStats, WorkerStats } from '@sluice/broker/core'
import type { EngineConfig, Session, State, Task } from '@sluice/engine'
import type { Hello, TaskStateName } from '@sluice/protocol'
import type { Checker, Observation, ObservationOf, Surroundings, Violate } from '../observation.ts'
import { DrainPace } from './drain-pace.ts'
import { boundsOf } from './population.ts'
import type { Sources } from './sources.ts'

/** A rate is told in tenths. */
const ROUNDING_PER_SECOND = 0.1
/** After this many batches, what was in memory is durable. */
const BATCHES_OF_GRACE = 3
/** For this long after the end of a task, its queue counts as draining. */
const LATELY_MS = 900

/**
 * What an operator sees of the broker as a whole is what it holds: queues and workers with their counts, and every
 * dead letter once, page by page.
 */
export class Views implements Checker {
  readonly rule = 'HOST-20'
  readonly #sources: Sources
  readonly #engine: EngineConfig
  readonly #pace = new DrainPace()
  /** The last value of each, by session. */
  readonly #hellos = new Map<string, Hello>()
  /** Of connections that have not been welcomed. */
  readonly #greetings = new Map<number, Hello>()
  /** Dead letters that are being redriven, and how many were since. */
  readonly #redriving = new Map<string, number>()
  /** Rates as they were told, and how many batches have become durable since. */
  #claims: { queue: string; perSecond: number; node: string; batches: number }[] = []
  #isCompacted = false
  #isLeaving = false

  constructor(sources: Sources) {
    this.#sources = sources
    this.#engine = boundsOf(sources.scenario).engine
  }

  see(observation: Observation, { state, brokerMs }: Surroundings, violate: Violate): void {
    const { chronicle } = this.#sources
    const steps = chronicle.see(observation)
    this.#sources.wire.see(observation)
    this.#pace.see(steps, chronicle.isRetold)
    for (const { fact } of steps) {
      if (fact.type !== 'taskRedriven' || chronicle.isRetold) continue
      for (const [ids, count] of this.#redriving) if (ids.includes(fact.id)) this.#redriving.set(ids, count + 1)
    }
    switch (observation.type) {
      case 'heardByBroker':
        if (observation.message.type === 'hello') this.#greetings.set(observation.connection, observation.message)
        break
      case 'sentByBroker':
        if (observation.message.type === 'welcome') this.#welcomed(observation.connection, observation.message.session)
        else if (observation.message.type === 'drain') this.#isLeaving = true
        break
      case 'recovered':
        this.#isCompacted ||= observation.firstBatch > 1
        this.#isLeaving = false
        this.#redriving.clear()
        this.#claims = []
        break
      case 'appended':
        this.#judgeClaims(violate)
        break
      case 'redriving': {
        // If two redrives run at once, it is unknown which one made a task ready.
        const isAlone = this.#redriving.size === 0
        this.#redriving.clear()
        if (isAlone) this.#redriving.set(observation.ids.join(), 0)
        break
      }
      case 'redriven':
        this.#redriven(observation, violate)
        break
      case 'viewed':
        if (state) this.#viewed(observation, state, brokerMs ?? 0, violate)
        break
      case 'listed':
        if (state) this.#listed(observation, state, brokerMs ?? 0, violate)
        break
      default:
    }
  }

  #welcomed(connection: number, session: string): void {
    const hello = this.#greetings.get(connection)
    this.#greetings.delete(connection)
    if (hello) this.#hellos.set(session, hello)
  }

  #redriven({ node, ids, count }: ObservationOf<'redriven'>, violate: Violate): void {
    const key = ids.join()
    const were = this.#redriving.get(key)
    this.#redriving.delete(key)
    if (were !== undefined && were !== count)
      violate(
        `${node} was told that ${count} dead letters are ready again, and ${were} are`,
        { ids, nodes: [node] },
        'DEAD-4',
      )
  }

  #viewed(
    { node, health, queues, workers }: ObservationOf<'viewed'>,
    state: State,
    nowMs: number,
    violate: Violate,
  ): void {
    const differ = differing(node, violate)
    const sessions = [...state.sessions.values()]
    const connected = sessions.filter(({ phase }) => phase === 'connected')
    differ('the tasks', health.tasks, [...state.tasks.values()].length)
    differ('the connections', health.connections, connected.length)
    if (this.#isLeaving && health.status === 'ready')
      violate(`${node} was told that the broker is ready, which is leaving`, { nodes: [node] })
    differ('the queues', queues.map(({ name }) => name).sort(), [...state.queues.keys()].sort())
    const tasks = Map.groupBy(state.tasks.values(), ({ queue }) => queue.name)
    const leased = Map.groupBy(state.tasks.values(), ({ phase }) => phase.state === 'leased' && phase.session)
    for (const stats of queues)
      this.#judgeQueue(stats, tasks.get(stats.name) ?? [], connected, leased, nowMs, node, violate)
    differ(
      'the workers',
      [...workers].sort(byId),
      sessions
        .filter(({ id, roles }) => (this.#hellos.get(id)?.roles ?? roles).includes('worker'))
        .map((session) => this.#worker(session, leased.get(session) ?? [], workers))
        .sort(byId),
    )
  }

  #judgeQueue(
    stats: QueueStats,
    tasks: readonly Task[],
    connected: readonly Session[],
    leased: ReadonlyMap<unknown, readonly Task[]>,
    nowMs: number,
    node: string,
    violate: Violate,
  ): void {
    const { name, drainPerSecond, oldestReadyAgeMs, ...counts } = stats
    const inState = (...names: TaskStateName[]): Task[] => tasks.filter(({ phase }) => names.includes(phase.state))
    const takers = connected.filter(({ subscriptions }) => subscriptions.some(({ queue }) => queue.name === name))
    const { queueTasksMax, queueBytesMax } = this.#engine
    differing(node, violate)(`the figures of ${name}`, counts, {
      ready: inState('ready').length,
      delayed: inState('delayed').length,
      leased: inState('leased').length,
      succeeded: inState('succeeded').length,
      dead: inState('dead').length,
      cancelled: inState('cancelled').length,
      bytes: inState('ready', 'delayed', 'leased').reduce((sum, { bytes }) => sum + bytes, 0),
      tasksMax: queueTasksMax,
      bytesMax: queueBytesMax,
      workers: takers.length,
      freeCredit: takers.reduce(
        (sum, session) => sum + Math.max(0, session.credit - (leased.get(session) ?? []).length),
        0,
      ),
    })
    const ages = inState('ready').map(({ acceptance }) => Math.round(nowMs - acceptance.atMs))
    const oldest = Math.max(0, ...ages)
    // An observer cannot tell which task has been ready for longest if some were delayed.
    const isKnown = inState('ready').every(({ options, started }) => started || options.delayMs === 0)
    if (isKnown ? oldestReadyAgeMs !== oldest : !ages.includes(oldestReadyAgeMs))
      violate(`${node} was told that in ${name} the oldest is ready for ${oldestReadyAgeMs} ms, and it is ${oldest}`, {
        nodes: [node],
      })
    const heldSinceMs = Math.min(...tasks.map(({ acceptance }) => acceptance.atMs))
    this.#judgePace(name, drainPerSecond, heldSinceMs, nowMs, node, violate)
  }

  #judgePace(
    queue: string,
    perSecond: number,
    heldSinceMs: number,
    nowMs: number,
    node: string,
    violate: Violate,
  ): void {
    if (this.#isCompacted) return
    const { lastEndMs } = this.#pace.boundsOf(queue)
    // A queue that was dropped meanwhile is another one.
    const isDraining = lastEndMs !== undefined && heldSinceMs <= lastEndMs && nowMs - lastEndMs < LATELY_MS
    if (isDraining && perSecond <= 0)
      violate(`${node} was told that ${queue} does not drain, ${nowMs - lastEndMs} ms after the end of a task`, {
        nodes: [node],
      })
    this.#claims.push({ queue, perSecond, node, batches: 0 })
  }

  /** The event of an ended task may be on its way to the journal while it is told. */
  #judgeClaims(violate: Violate): void {
    this.#claims = this.#claims.filter((claim) => {
      claim.batches += 1
      if (claim.batches < BATCHES_OF_GRACE) return true
      const { queue, perSecond, node } = claim
      const { perSecondMax } = this.#pace.boundsOf(queue)
      if (perSecond > perSecondMax + ROUNDING_PER_SECOND)
        violate(
          `${node} was told that ${queue} drains at ${perSecond} tasks a second, and ${perSecondMax} is the most`,
          {
            nodes: [node],
          },
        )
      return false
    })
  }

  #worker(
    { id, order, phase, credit, subscriptions }: Session,
    leased: readonly Task[],
    told: readonly WorkerStats[],
  ): WorkerStats {
    const connected = phase === 'connected'
    const handle = `worker-${order}`
    // For a connection that has not been welcomed yet this is unknown here.
    const said = this.#hellos.get(id) ?? told.find((worker) => worker.id === handle)
    return {
      id: handle,
      name: (connected && said?.name) || '',
      labels: (connected && said?.labels) || {},
      connected,
      credit,
      leased: leased.length,
      queues: subscriptions.map(({ queue }) => queue.name),
    }
  }

  #listed(
    { node, queue: only, limit, pages }: ObservationOf<'listed'>,
    state: State,
    nowMs: number,
    violate: Violate,
  ): void {
    for (const page of pages.slice(0, -1))
      if (page.length !== limit)
        violate(`${node} was given ${page.length} dead letters on a page of ${limit}, and there were more`, {
          nodes: [node],
        })
    const listed = pages.flat()
    const dead = [...state.tasks.values()].filter(
      ({ phase, queue: { name } }) => phase.state === 'dead' && (only === undefined || name === only),
    )
    const differ = differing(node, violate)
    differ('the dead letters', listed.map(({ id }) => id).sort(), dead.map(({ id }) => id).sort())
    for (const letter of listed) {
      const task = state.tasks.get(letter.id)
      if (task) differ(`dead letter ${letter.id}`, letter, letterOf(task, nowMs))
    }
    let [queue, atMs] = ['', 0]
    for (const { id, queue: name } of listed) {
      const { phase } = state.tasks.get(id) ?? {}
      const diedAtMs = phase?.state === 'dead' ? phase.forgetAtMs : 0
      if (queue === name && diedAtMs < atMs)
        violate(`${node} was given dead letter ${id} behind one that died later`, { ids: [id], nodes: [node] })
      queue = name
      atMs = diedAtMs
    }
  }
}

function letterOf({ id, queue, phase, attempts, past, acceptance }: Task, nowMs: number): Partial<DeadLetter> {
  return {
    id,
    queue: queue.name,
    ...(phase.state === 'dead' ? { reason: phase.reason, ...(phase.error ? { error: phase.error } : {}) } : {}),
    attempts,
    history: [...past.history],
    ageMs: Math.round(nowMs - acceptance.atMs),
  }
}

function byId(a: WorkerStats, b: WorkerStats): number {
  return a.id < b.id ? -1 : 1
}

function differing(node: string, violate: Violate): (what: string, said: unknown, is: unknown) => void {
  return (what, said, is) => {
    const [saidText, isText] = [inOrder(said), inOrder(is)]
    if (saidText !== isText)
      violate(`${node} was shown ${what} as ${saidText}, and the broker holds ${isText}`, { nodes: [node] })
  }
}

/** Gives the same text for the same fields in any order. */
function inOrder(value: unknown): string {
  return JSON.stringify(value, (_, field: unknown) =>
    typeof field === 'object' && field !== null && !Array.isArray(field)
      ? Object.fromEntries(Object.entries(field).sort(([a], [b]) => (a < b ? -1 : 1)))
      : field,
  )
}
