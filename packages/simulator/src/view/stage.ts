import type { ObservationOf } from '@sluice/world'
import { Backlog } from './backlog.ts'
import type { Fold, Seen } from './fold.ts'
import { StageParts } from './stage-parts.ts'
import type { FaultView, Place, PulseView, QueueView, StageView, TaskState, TaskView } from './stage-view.ts'

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
  #parts = new StageParts()
  #tasks = new Map<string, Task>()
  /** By connection and `ref`: the ids of the submission. */
  #submissions = new Map<string, { ids: readonly string[]; left: number }>()
  #leases = new Map<number, string>()
  #legs: Leg[] = []
  #faults = new Map<number, FaultView>()
  /** By name, in the order in which they were first named. */
  #queues = new Set<string>()
  #backlog = new Backlog()
  /** The queues of dead letters, by task. */
  #dead = new Map<string, string>()
  #batches = new Map<number, number>()
  /** Tasks that are finished, in the order in which they leave the picture. */
  #finished = new Set<string>()
  #next = 1
  #counts = { submitted: 0, succeeded: 0, dead: 0, cancelled: 0, retries: 0, busy: 0 }

  copy(): StageFold {
    const copy = new StageFold()
    copy.#parts = this.#parts.copy()
    copy.#tasks = new Map([...this.#tasks].map(([id, task]) => [id, { ...task }]))
    copy.#submissions = new Map([...this.#submissions].map(([key, value]) => [key, { ...value }]))
    copy.#leases = new Map(this.#leases)
    copy.#legs = [...this.#legs]
    copy.#faults = new Map(this.#faults)
    copy.#queues = new Set(this.#queues)
    copy.#backlog = this.#backlog.copy()
    copy.#dead = new Map(this.#dead)
    copy.#batches = new Map(this.#batches)
    copy.#finished = new Set(this.#finished)
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
      parts: [...this.#parts.all].map((part) => ({
        ...part,
        troubles: [...part.troubles],
        waiting: waiting.get(part.name) ?? 0,
      })),
      queues: this.#queueViews(),
      tasks: drawn,
      pulses: this.#legs.flatMap(({ node, by, kind, message: { atMs, arrivesAtMs } }) =>
        kind === undefined ? [] : [{ node, by, kind, sentAtMs: atMs, arrivesAtMs }],
      ),
      faults: [...this.#faults.values()],
      journal: {
        batches: this.#batches.size,
        events: [...this.#batches.values()].reduce((sum, events) => sum + events, 0),
      },
      counts: { ...this.#counts },
    }
  }

  see(seen: Seen): void {
    this.#fade(seen.atMs)
    this.#parts.see(seen)
    switch (seen.type) {
      case 'nodeStarted':
        this.#parts.started(seen.node)
        return
      case 'nodeStopped':
        this.#stopped(seen.node, seen.how, seen.atMs)
        return
      case 'connecting':
        this.#parts.get(seen.node).link = 'connecting'
        return
      case 'connectFailed':
        this.#parts.get(seen.node).link = 'none'
        return
      case 'connected':
        this.#parts.get(seen.node).link = 'open'
        return
      case 'disconnected':
        if (seen.side === 'node') this.#parts.get(seen.node).link = 'none'
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
        if (seen.machine !== 'task') return
        this.#backlog.pass(seen)
        this.#changed(seen.id, seen.from, seen.to as TaskState, seen.atMs)
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
        this.#backlog.appending(seen.batch)
        this.#batches.set(seen.batch, seen.events.length)
        return
      case 'appended':
        this.#backlog.appended(seen.batch)
        this.#batches.delete(seen.batch)
        return
      case 'faultStarted':
        this.#faults.set(seen.number, { number: seen.number, fault: seen.fault, sinceMs: seen.atMs })
        this.#parts.troubled(this.#faults.values())
        return
      case 'faultEnded':
        this.#faults.delete(seen.number)
        this.#parts.troubled(this.#faults.values())
        return
      case 'recovered':
        this.#backlog.recovered(seen.lastBatch)
        this.#recovered(seen.atMs)
    }
  }

  // ─── tasks ───────────────────────────────────────────────────────────────────────────────────────────────────────

  #stopped(name: string, how: ObservationOf<'nodeStopped'>['how'], atMs: number): void {
    this.#parts.stopped(name, how)
    if (name === 'broker') this.#batches.clear()
    for (const task of this.#tasks.values()) {
      if (task.worker === name && (task.place === 'held' || task.place === 'running')) {
        task.runs = 0
        this.#move(task, 'lost', atMs)
      }
      if (task.producer === name && task.place === 'producer' && task.state === 'new' && how !== 'failed')
        this.#tasks.delete(task.id)
    }
  }

  #submitting({ id, node, queue, atMs }: ObservationOf<'submitting'>): void {
    if (this.#tasks.has(id)) return
    this.#counts.submitted += 1
    this.#parts.get(node).total += 1
    this.#tasks.set(id, {
      id,
      number: this.#next,
      queue,
      priority: 5,
      state: 'new',
      place: 'producer',
      producer: node,
      via: node,
      worker: undefined,
      attempts: 0,
      sinceMs: atMs,
      message: undefined,
      runs: 0,
    })
    this.#next += 1
    this.#queues.add(queue)
  }

  #queueViews(): QueueView[] {
    const views = new Map<string, QueueView>()
    for (const name of this.#queues) views.set(name, { name, delayed: 0, ready: 0, leased: 0, dead: 0 })
    for (const { id, queue } of this.#tasks.values()) {
      const state = this.#backlog.stateOf(id)
      const view = views.get(queue)
      if (state !== undefined && view !== undefined) view[state] += 1
    }
    for (const [id, queue] of this.#dead) {
      const view = views.get(queue)
      if (view !== undefined && this.#backlog.isDead(id)) view.dead += 1
    }
    return [...views.values()]
  }

  /** What the broker knows is what its journal says: a crash has undone the rest. */
  #recovered(atMs: number): void {
    for (const task of this.#tasks.values()) {
      const isAtBroker = task.place === 'ready' || task.place === 'delayed' || task.place === 'leased'
      const state = this.#backlog.stateOf(task.id)
      if (state !== undefined) {
        if (task.state !== state && (isAtBroker || task.place === 'settled')) this.#move(task, state, atMs)
        task.state = state
      } else if (task.state === 'delayed' || task.state === 'ready' || task.state === 'leased') {
        // It was never accepted for good. Its producer has not been told, and submits it again.
        task.state = 'new'
        if (isAtBroker) this.#move(task, 'producer', atMs)
      }
    }
  }

  #move(task: Task, place: Place, atMs: number, message?: Seen, node = task.via): void {
    task.place = place
    if (place === 'toBroker' || place === 'toProducer') task.via = node
    task.sinceMs = atMs
    task.message = message
  }

  /** The broker's own view of the task has changed. */
  #changed(id: string, from: string, to: TaskState, atMs: number): void {
    if (from === 'dead') this.#dead.delete(id)
    const task = this.#tasks.get(id)
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
        if (to === 'dead') this.#dead.set(id, task.queue)
        this.#move(task, 'settled', atMs)
        this.#finished.add(id)
    }
  }

  #handling({ id, node, attempt, atMs }: ObservationOf<'handlerStarted'>): void {
    this.#parts.get(node).total += 1
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
        if (atMs - task.sinceMs <= FADE_MS || this.#backlog.isUnwritten(id)) return
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
      for (const id of leg.tasks) this.#move(this.#tasks.get(id) as Task, place, atMs, seen, node)
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
        this.#parts.get(node).credit = message.credit
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
        this.#parts.get(node).busyAtMs = atMs
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
        else if (task.place === 'toWorker') this.#move(task, 'lost', atMs)
        else if (task.place === 'fromWorker') this.#move(task, 'held', atMs)
        else if (task.place === 'toProducer') this.#move(task, 'done', atMs)
      }
    }
    this.#legs = this.#legs.filter((leg) => !isLost(leg))
  }
}
