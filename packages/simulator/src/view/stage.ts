import type { Fault, ObservationOf, Scenario } from '@sluice/world'
import type { Fold, Seen } from './fold.ts'

export type PartKind = 'producer' | 'tab' | 'broker' | 'worker' | 'stranger'

/** A machine on the stage. */
export interface PartView {
  name: string
  kind: PartKind
  /** Its group in the scenario, from 0; undefined for the broker. */
  group: number | undefined
  isUp: boolean
  /** Of its connection to the broker; of the broker: that it listens. */
  link: 'none' | 'connecting' | 'open'
  /** Faults that go on, such as `paused`. */
  troubles: readonly string[]
  /** Of a worker: how many handlers may run at once, and how many deliveries it asks for. */
  slots: number
  credit: number
  /** Tasks that wait at a producer until they can leave. */
  waiting: number
  /** When the broker last answered `busy` to it. */
  busyAtMs: number | undefined
  /** How many tasks it has submitted, or handlers it has run. */
  total: number
}

/**
 * Where a task is, as an onlooker sees it.
 * - `producer`: submitted by the program, and not sent or refused for now.
 * - `toBroker`, `toWorker`, `toProducer`: in a message on its way.
 * - `fromWorker`: its result is on its way.
 * - `delayed`, `ready`, `leased`: at the broker. A leased task there has no delivery on its way that is known of.
 * - `held`: at a worker, and no handler has begun it.
 * - `running`: a handler works on it.
 * - `settled`: finished, at the broker.
 * - `done`: its producer knows. It is about to leave the picture.
 */
export type Place =
  | 'producer'
  | 'toBroker'
  | 'delayed'
  | 'ready'
  | 'leased'
  | 'toWorker'
  | 'held'
  | 'running'
  | 'fromWorker'
  | 'settled'
  | 'toProducer'
  | 'done'

export type TaskState = 'new' | 'delayed' | 'ready' | 'leased' | 'succeeded' | 'dead' | 'cancelled'

export interface TaskView {
  id: string
  /** In the order of submission, from 1: short enough to be read. */
  number: number
  queue: string
  priority: number
  state: TaskState
  place: Place
  /** The producer it came from. */
  producer: string
  /** The worker that has it or had it last. */
  worker: string | undefined
  /** Attempts so far. */
  attempts: number
  /** When it came to where it is. */
  sinceMs: number
  /** On its way: when it will arrive, if that is known. */
  arrivesAtMs: number | undefined
  /** Handlers that work on it at the moment. More than one is a duplicate. */
  runs: number
}

/** A small message on a link that carries no task. */
export interface PulseView {
  node: string
  by: 'node' | 'broker'
  kind: 'busy' | 'heartbeat' | 'answer' | 'revoke' | 'drain' | 'hello'
  sentAtMs: number
  arrivesAtMs: number | undefined
}

export interface QueueView {
  name: string
  delayed: number
  ready: number
  leased: number
  dead: number
}

export interface FaultView {
  number: number
  fault: Fault
  sinceMs: number
}

export interface StageView {
  atMs: number
  parts: readonly PartView[]
  queues: readonly QueueView[]
  /** Those that are drawn: everything on its way and at workers, and the first of those that wait. */
  tasks: readonly TaskView[]
  pulses: readonly PulseView[]
  faults: readonly FaultView[]
  /** Batches that are given to the journal and not yet durable, and the events in them. */
  journal: { batches: number; events: number; lastAtMs: number | undefined }
  counts: { submitted: number; succeeded: number; dead: number; cancelled: number; retries: number; busy: number }
}

interface Part extends PartView {
  troubles: string[]
}

interface Task extends Omit<TaskView, 'arrivesAtMs'> {
  /** The message in which it is on its way. When that will arrive may become known later. */
  message: Seen | undefined
}

interface Leg {
  connection: number
  by: 'node' | 'broker'
  node: string
  /** The tasks in the message. */
  tasks: readonly string[]
  /** Undefined for a message that carries tasks. */
  kind: PulseView['kind'] | undefined
  message: Seen
}

/** How long a finished task stays in the picture. */
const FADE_MS = 700
/** The most tokens of one queue in one state that are drawn. */
const DRAWN_MAX = 80

/** What happens on the stage. Only what a person can see is kept: finished tasks are counted and forgotten. */
export class StageFold implements Fold<StageView> {
  #parts = new Map<string, Part>()
  #tasks = new Map<string, Task>()
  /** By connection and `ref`: the ids of the submission. */
  #submissions = new Map<string, { ids: readonly string[]; left: number }>()
  #leases = new Map<number, string>()
  #legs: Leg[] = []
  #faults = new Map<number, FaultView>()
  #queues = new Map<string, QueueView>()
  #batches = new Map<number, number>()
  #journalAtMs: number | undefined
  #scenario: Scenario | undefined
  /** Tasks that are finished, in the order in which they leave the picture. */
  #finished = new Set<string>()
  #next = 1
  #counts = { submitted: 0, succeeded: 0, dead: 0, cancelled: 0, retries: 0, busy: 0 }

  copy(): StageFold {
    const copy = new StageFold()
    copy.#parts = new Map([...this.#parts].map(([name, part]) => [name, { ...part, troubles: [...part.troubles] }]))
    copy.#tasks = new Map([...this.#tasks].map(([id, task]) => [id, { ...task }]))
    copy.#submissions = new Map([...this.#submissions].map(([key, value]) => [key, { ...value }]))
    copy.#leases = new Map(this.#leases)
    copy.#legs = [...this.#legs]
    copy.#faults = new Map(this.#faults)
    copy.#queues = new Map([...this.#queues].map(([name, queue]) => [name, { ...queue }]))
    copy.#batches = new Map(this.#batches)
    copy.#journalAtMs = this.#journalAtMs
    copy.#scenario = this.#scenario
    copy.#finished = new Set(this.#finished)
    copy.#added = new Map(this.#added)
    copy.#leaving = new Set(this.#leaving)
    copy.#next = this.#next
    copy.#counts = { ...this.#counts }
    return copy
  }

  /** How much there is to copy. */
  get size(): number {
    return this.#tasks.size + this.#legs.length + this.#submissions.size
  }

  view(atMs: number): StageView {
    const drawn: TaskView[] = []
    const perQueue = new Map<string, number>()
    for (const task of this.#tasks.values()) {
      if (task.place === 'ready' || task.place === 'delayed' || task.place === 'producer') {
        const key = task.place === 'producer' ? `${task.place} ${task.producer}` : `${task.place} ${task.queue}`
        const count = perQueue.get(key) ?? 0
        perQueue.set(key, count + 1)
        if (count >= DRAWN_MAX) continue
      }
      const { message, ...view } = task
      drawn.push({ ...view, arrivesAtMs: message?.arrivesAtMs })
    }
    const waiting = new Map<string, number>()
    for (const { place, producer } of this.#tasks.values())
      if (place === 'producer') waiting.set(producer, (waiting.get(producer) ?? 0) + 1)
    return {
      atMs,
      parts: [...this.#parts.values()].map((part) => ({
        ...part,
        troubles: [...part.troubles],
        waiting: waiting.get(part.name) ?? 0,
      })),
      queues: [...this.#queues.values()].map((queue) => ({ ...queue })),
      tasks: drawn,
      pulses: this.#legs.flatMap(({ node, by, kind, message: { atMs, arrivesAtMs } }) =>
        kind === undefined ? [] : [{ node, by, kind, sentAtMs: atMs, arrivesAtMs }],
      ),
      faults: [...this.#faults.values()],
      journal: {
        batches: this.#batches.size,
        events: [...this.#batches.values()].reduce((sum, events) => sum + events, 0),
        lastAtMs: this.#journalAtMs,
      },
      counts: { ...this.#counts },
    }
  }

  see(seen: Seen): void {
    this.#fade(seen.atMs)
    switch (seen.type) {
      case 'worldStarted':
        this.#scenario = seen.scenario
        return
      case 'nodeStarted':
        this.#started(seen.node)
        return
      case 'nodeStopped':
        this.#stopped(seen.node, seen.how, seen.atMs)
        return
      case 'connecting':
        this.#part(seen.node).link = 'connecting'
        return
      case 'connectFailed':
        this.#part(seen.node).link = 'none'
        return
      case 'connected':
        this.#part(seen.node).link = 'open'
        return
      case 'disconnected':
        if (seen.side === 'node') this.#part(seen.node).link = 'none'
        this.#cut(({ connection }) => connection === seen.connection, seen.atMs)
        return
      case 'submitting':
        this.#submitting(seen)
        return
      case 'refused':
        // The client will not try again.
        if (this.#tasks.get(seen.id)?.state === 'new') this.#tasks.delete(seen.id)
        return
      case 'sentToBroker':
      case 'sentByBroker':
        this.#sent(seen)
        return
      case 'heardByBroker':
      case 'heardByNode':
        this.#heard(seen)
        return
      case 'transition':
        if (seen.machine === 'task') this.#changed(seen.id, seen.from, seen.to as TaskState, seen.atMs)
        return
      case 'handlerStarted':
        this.#handling(seen)
        return
      case 'handlerEnded':
      case 'handlerAborted':
        this.#handled(seen)
        return
      case 'outcome':
        this.#outcome(seen.id, seen.atMs)
        return
      case 'appending':
        this.#batches.set(seen.batch, seen.events.length)
        return
      case 'appended':
        this.#batches.delete(seen.batch)
        this.#journalAtMs = seen.atMs
        return
      case 'faultStarted':
        this.#faults.set(seen.number, { number: seen.number, fault: seen.fault, sinceMs: seen.atMs })
        this.#trouble()
        return
      case 'faultEnded':
        this.#faults.delete(seen.number)
        this.#trouble()
        return
      case 'changed':
        this.#adjust(seen.change)
    }
  }

  // ─── parts ───────────────────────────────────────────────────────────────────────────────────────────────────────

  #part(name: string): Part {
    let part = this.#parts.get(name)
    if (part === undefined) {
      const kind = (name === 'broker' ? name : name.slice(0, name.lastIndexOf('-'))) as PartKind
      const group = kind === 'broker' ? undefined : this.#groupOf(kind, name)
      part = {
        name,
        kind,
        group,
        isUp: false,
        link: 'none',
        troubles: [],
        slots: kind === 'worker' ? (this.#scenario?.workers[group ?? 0]?.concurrency ?? 1) : 0,
        credit: 0,
        waiting: 0,
        busyAtMs: undefined,
        total: 0,
      }
      this.#parts.set(name, part)
      this.#parts = new Map([...this.#parts].sort(([a], [b]) => orderOf(a) - orderOf(b)))
    }
    return part
  }

  /** Nodes are numbered through the groups in their order; those added by hand come after them. */
  #groupOf(kind: PartKind, name: string): number {
    const groups =
      kind === 'producer'
        ? this.#scenario?.producers
        : kind === 'worker'
          ? this.#scenario?.workers
          : kind === 'stranger'
            ? this.#scenario?.strangers
            : undefined
    let number = Number(name.slice(name.lastIndexOf('-') + 1))
    for (const [at, { count }] of (groups ?? []).entries()) {
      if (number <= count) return at
      number -= count
    }
    return this.#added.get(name) ?? Math.max(0, (groups?.length ?? 1) - 1)
  }

  /** The groups of nodes that a hand adds next, by name. */
  #added = new Map<string, number>()

  #started(name: string): void {
    const part = this.#part(name)
    part.isUp = true
    part.link = name === 'broker' ? 'open' : 'none'
  }

  #stopped(name: string, how: ObservationOf<'nodeStopped'>['how'], atMs: number): void {
    const part = this.#part(name)
    part.isUp = false
    part.link = 'none'
    part.credit = 0
    if (name === 'broker') this.#batches.clear()
    for (const task of this.#tasks.values()) {
      if (task.worker === name && (task.place === 'held' || task.place === 'running')) {
        task.runs = 0
        this.#move(task, 'leased', atMs)
      }
      if (task.producer === name && task.place === 'producer' && task.state === 'new' && how !== 'failed')
        this.#tasks.delete(task.id)
    }
    // Removed by hand: it does not come back, so it leaves the picture.
    if (how === 'left' && this.#leaving.delete(name)) this.#parts.delete(name)
  }

  #leaving = new Set<string>()

  #trouble(): void {
    for (const part of this.#parts.values()) part.troubles = []
    for (const { fault } of this.#faults.values()) {
      const name = 'node' in fault ? fault.node : 'broker'
      this.#parts.get(name)?.troubles.push(fault.type)
    }
  }

  #adjust(change: ObservationOf<'changed'>['change']): void {
    if (change.type === 'concurrency') {
      for (const part of this.#parts.values())
        if (part.kind === 'worker' && part.group === change.group) part.slots = change.concurrency
      return
    }
    if (change.type !== 'producers' && change.type !== 'workers') return
    const kind: PartKind = change.type === 'producers' ? 'producer' : 'worker'
    const present = [...this.#parts.values()].filter(
      (part) => part.kind === kind && part.group === change.group && !this.#leaving.has(part.name),
    )
    for (const { name, isUp } of present.slice(change.count)) {
      if (isUp) this.#leaving.add(name)
      else this.#parts.delete(name)
    }
    const numbers = [...this.#parts.keys()].filter((name) => name.startsWith(`${kind}-`)).map(orderOf)
    const last = Math.max(0, ...numbers.map((order) => order % 1000))
    for (let i = 1; i <= change.count - present.length; i += 1) this.#added.set(`${kind}-${last + i}`, change.group)
  }

  // ─── tasks ───────────────────────────────────────────────────────────────────────────────────────────────────────

  #submitting({ id, node, queue, atMs }: ObservationOf<'submitting'>): void {
    if (this.#tasks.has(id)) return
    this.#counts.submitted += 1
    this.#part(node).total += 1
    this.#tasks.set(id, {
      id,
      number: this.#next,
      queue,
      priority: 5,
      state: 'new',
      place: 'producer',
      producer: node,
      worker: undefined,
      attempts: 0,
      sinceMs: atMs,
      message: undefined,
      runs: 0,
    })
    this.#next += 1
    this.#queue(queue)
  }

  #queue(name: string): QueueView {
    let queue = this.#queues.get(name)
    if (queue === undefined) {
      queue = { name, delayed: 0, ready: 0, leased: 0, dead: 0 }
      this.#queues.set(name, queue)
    }
    return queue
  }

  #move(task: Task, place: Place, atMs: number, message?: Seen): void {
    task.place = place
    task.sinceMs = atMs
    task.message = message
  }

  /** The broker's own view of the task has changed. */
  #changed(id: string, from: string, to: TaskState, atMs: number): void {
    const task = this.#tasks.get(id)
    const queue = task && this.#queue(task.queue)
    if (queue !== undefined) {
      if (from === 'delayed' || from === 'ready' || from === 'leased' || from === 'dead') queue[from] -= 1
      if (to === 'delayed' || to === 'ready' || to === 'leased' || to === 'dead') queue[to] += 1
    }
    if (task === undefined) return
    task.state = to
    switch (to) {
      case 'delayed':
      case 'ready':
        if (from === 'leased') this.#counts.retries += 1
        this.#move(task, to, atMs)
        return
      case 'leased':
        task.attempts += 1
        this.#move(task, 'leased', atMs)
        return
      case 'succeeded':
      case 'dead':
      case 'cancelled':
        this.#counts[to] += 1
        this.#move(task, 'settled', atMs)
        this.#finished.add(id)
    }
  }

  #handling({ id, node, attempt, atMs }: ObservationOf<'handlerStarted'>): void {
    this.#part(node).total += 1
    const task = this.#tasks.get(id)
    if (task === undefined) return
    task.runs += 1
    task.worker = node
    task.attempts = Math.max(task.attempts, attempt)
    this.#move(task, 'running', atMs)
  }

  #handled({ id, node, atMs, type }: ObservationOf<'handlerEnded'> | ObservationOf<'handlerAborted'>): void {
    const task = this.#tasks.get(id)
    if (task === undefined) return
    if (type === 'handlerEnded') task.runs = Math.max(0, task.runs - 1)
    if (task.worker === node && task.place === 'running' && type === 'handlerEnded') this.#move(task, 'held', atMs)
  }

  #outcome(id: string, atMs: number): void {
    const task = this.#tasks.get(id)
    if (task === undefined) return
    this.#move(task, 'done', atMs)
    // It counts from now.
    this.#finished.delete(id)
    this.#finished.add(id)
  }

  /** Finished tasks leave the picture after a while, also if nobody waits for their outcome. */
  #fade(atMs: number): void {
    for (const id of this.#finished) {
      const task = this.#tasks.get(id)
      if (task !== undefined && (task.place === 'settled' || task.place === 'done')) {
        if (atMs - task.sinceMs <= FADE_MS) return
        this.#tasks.delete(id)
      } else if (task?.place === 'toProducer') return
      this.#finished.delete(id)
    }
  }

  // ─── messages ────────────────────────────────────────────────────────────────────────────────────────────────────

  #sent(seen: Extract<Seen, { type: 'sentToBroker' | 'sentByBroker' }>): void {
    const { node, connection, atMs } = seen
    const by = seen.type === 'sentToBroker' ? 'node' : 'broker'
    const leg: Leg = { connection, by, node, tasks: [], kind: undefined, message: seen }
    const pulse = (kind: PulseView['kind']) => {
      leg.kind = kind
    }
    const carry = (ids: readonly (string | undefined)[], place: Place, onlyFrom: readonly Place[]) => {
      const carried = ids.filter((id) => id !== undefined && onlyFrom.includes(this.#tasks.get(id)?.place as Place))
      leg.tasks = carried as string[]
      for (const id of leg.tasks) this.#move(this.#tasks.get(id) as Task, place, atMs, seen)
    }
    const { message } = seen
    switch (message.type) {
      case 'submit': {
        this.#submissions.set(`${connection} ${message.ref}`, { ids: message.ids, left: message.ids.length })
        for (const id of message.ids) {
          const task = this.#tasks.get(id)
          if (task !== undefined) task.priority = message.options?.priority ?? 5
        }
        carry(message.ids, 'toBroker', ['producer'])
        break
      }
      case 'deliver':
        for (const [at, id] of message.ids.entries()) {
          this.#leases.set(message.leases[at] as number, id)
          const task = this.#tasks.get(id)
          if (task !== undefined) {
            task.worker = node
            task.attempts = message.attempts?.[at] ?? 1
          }
        }
        carry(message.ids, 'toWorker', ['leased', 'ready'])
        break
      case 'complete':
      case 'release':
        carry(
          message.leases.map((lease) => this.#leases.get(lease)),
          'fromWorker',
          ['held', 'running'],
        )
        break
      case 'fail':
        carry(
          message.failures.map(({ lease }) => this.#leases.get(lease)),
          'fromWorker',
          ['held', 'running'],
        )
        break
      case 'succeeded': {
        const ids =
          'ids' in message ? message.ids : message.indexes.map((at) => this.#named(connection, message.ref, at))
        carry(ids, 'toProducer', ['settled'])
        break
      }
      case 'ended':
        carry(
          message.tasks.map((task) => ('id' in task ? task.id : this.#named(connection, task.ref, task.index))),
          'toProducer',
          ['settled'],
        )
        break
      case 'submitted':
        pulse(message.refused.some(({ error }) => error.code === 'busy') ? 'busy' : 'answer')
        break
      case 'heartbeat':
      case 'renewed':
        pulse('heartbeat')
        break
      case 'revoke':
        pulse('revoke')
        break
      case 'drain':
        pulse('drain')
        break
      case 'hello':
      case 'welcome':
        pulse('hello')
        break
      case 'credit':
        pulse('answer')
        break
      default:
        return
    }
    this.#legs.push(leg)
  }

  #named(connection: number, ref: number, index: number): string | undefined {
    const key = `${connection} ${ref}`
    const submission = this.#submissions.get(key)
    if (submission === undefined) return undefined
    submission.left -= 1
    if (submission.left <= 0) this.#submissions.delete(key)
    return submission.ids[index]
  }

  #heard(seen: Extract<Seen, { type: 'heardByBroker' | 'heardByNode' }>): void {
    const { message, node, connection, atMs } = seen
    const by = seen.type === 'heardByBroker' ? 'node' : 'broker'
    switch (message.type) {
      case 'submit':
      case 'complete':
      case 'release':
      case 'fail':
      case 'succeeded':
      case 'ended':
      case 'revoke':
      case 'drain':
      case 'hello':
      case 'welcome':
      case 'heartbeat':
      case 'renewed':
        this.#arrived(connection, by)
        return
      case 'credit':
        this.#arrived(connection, by)
        this.#part(node).credit = message.credit
        return
      case 'deliver':
        this.#arrived(connection, by)
        for (const id of message.ids) {
          const task = this.#tasks.get(id)
          if (task?.place === 'toWorker') this.#move(task, 'held', atMs)
        }
        return
      case 'submitted':
        this.#arrived(connection, by)
        this.#submitted(node, connection, message, atMs)
    }
  }

  #submitted(
    node: string,
    connection: number,
    { ref, refused }: { ref: number; refused: readonly { index: number; error: { code: string } }[] },
    atMs: number,
  ): void {
    const submission = this.#submissions.get(`${connection} ${ref}`)
    for (const { index, error } of refused) {
      const id = submission?.ids[index]
      const task = id === undefined ? undefined : this.#tasks.get(id)
      if (error.code === 'busy') {
        this.#part(node).busyAtMs = atMs
        this.#counts.busy += 1
      }
      if (task !== undefined && task.state === 'new') this.#move(task, 'producer', atMs)
    }
    if (submission === undefined || refused.length === 0) return
    submission.left -= refused.length
    if (submission.left <= 0) this.#submissions.delete(`${connection} ${ref}`)
  }

  /** Messages of one direction arrive in the order in which they were sent. */
  #arrived(connection: number, by: 'node' | 'broker'): void {
    const at = this.#legs.findIndex((leg) => leg.connection === connection && leg.by === by)
    if (at !== -1) this.#legs.splice(at, 1)
  }

  /** What is on its way is lost. */
  #cut(isLost: (leg: Leg) => boolean, atMs: number): void {
    for (const leg of this.#legs.filter(isLost)) {
      for (const id of leg.tasks) {
        const task = this.#tasks.get(id)
        if (task === undefined) continue
        if (task.place === 'toBroker') this.#move(task, 'producer', atMs)
        else if (task.place === 'toWorker') this.#move(task, 'leased', atMs)
        else if (task.place === 'fromWorker') this.#move(task, 'held', atMs)
        else if (task.place === 'toProducer') this.#move(task, 'done', atMs)
      }
    }
    this.#legs = this.#legs.filter((leg) => !isLost(leg))
  }
}

const ORDER: Readonly<Record<string, number>> = { producer: 1, tab: 2, stranger: 3, broker: 4, worker: 5 }

/** Producers, tabs, the broker, workers; each by number. */
function orderOf(name: string): number {
  const dash = name.lastIndexOf('-')
  const kind = dash === -1 ? name : name.slice(0, dash)
  return (ORDER[kind] ?? 9) * 1000 + (dash === -1 ? 0 : Number(name.slice(dash + 1)))
}
