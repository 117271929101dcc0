import { Backlog } from './backlog.ts'
import type { Fold, Seen } from './fold.ts'
import { Groups } from './groups.ts'
import { Handlers } from './handlers.ts'
import { Rows } from './rows.ts'
import { BUCKETS, COUNTS, Column, type CountName, coarser, type MeasuresView, SAMPLES, viewOf } from './series.ts'

export type { MeasuresView } from './series.ts'

const BUCKET_MS = 1000
/** Percentiles are those of the outcomes of so long, and of at most so many. */
const WINDOW_MS = 30_000
/** How many tasks without an outcome are remembered with the time of their submission. */
const WAITING_MAX = 50_000

interface Submission {
  atMs: number
  patienceMs: number
}

/** What a run amounts to, in one row for each second, or for each 2, 4, … seconds in a long run. */
export class MeasuresFold implements Fold<MeasuresView> {
  #backlog = new Backlog()
  #handlers = new Handlers()
  #groups = new Groups()
  /** Submissions whose outcome their producer does not know. */
  #submissions = new Map<string, Submission>()
  /** Workers that are up, and the deliveries each has asked for. */
  #workers = new Map<string, number>()
  /** Events that wait for the disk, by batch. */
  #batches = new Map<number, number>()
  /** Bytes that wait in a socket, by connection and side. */
  #buffers = new Map<string, number>()
  #bucketMs = BUCKET_MS
  #rows = new Rows(Column.count)
  #latencies = new Rows(2)
  #totals = zeros()
  #counts = zeros()
  #bucketFromMs = 0
  /** Up to here the areas of this bucket are summed. */
  #summedMs = 0
  #systemArea = 0
  #busyArea = 0
  #slotArea = 0
  #leftMs = 0
  #journalMax = 0
  #bufferedMax = 0
  /** Handlers that the workers can run at once. */
  #slots = 0

  get size(): number {
    return this.#backlog.size + this.#handlers.size + this.#submissions.size
  }

  /** How many tasks were submitted. */
  get submitted(): number {
    return this.#totals.submitted
  }

  copy(): MeasuresFold {
    const copy = new MeasuresFold()
    copy.#backlog = this.#backlog.copy()
    copy.#handlers = this.#handlers.copy()
    copy.#groups = this.#groups.copy()
    copy.#submissions = new Map(this.#submissions)
    copy.#workers = new Map(this.#workers)
    copy.#batches = new Map(this.#batches)
    copy.#buffers = new Map(this.#buffers)
    copy.#bucketMs = this.#bucketMs
    copy.#rows = this.#rows.copy()
    copy.#latencies = this.#latencies.copy()
    copy.#totals = { ...this.#totals }
    copy.#counts = { ...this.#counts }
    copy.#bucketFromMs = this.#bucketFromMs
    copy.#summedMs = this.#summedMs
    copy.#systemArea = this.#systemArea
    copy.#busyArea = this.#busyArea
    copy.#slotArea = this.#slotArea
    copy.#leftMs = this.#leftMs
    copy.#journalMax = this.#journalMax
    copy.#bufferedMax = this.#bufferedMax
    copy.#slots = this.#slots
    return copy
  }

  see(seen: Seen): void {
    while (seen.atMs >= this.#bucketFromMs + this.#bucketMs) this.#close()
    this.#sum(seen.atMs)
    this.#groups.see(seen)
    switch (seen.type) {
      case 'nodeStarted':
        if (!seen.node.startsWith('worker-')) return
        this.#workers.set(seen.node, 0)
        this.#staff()
        return
      case 'nodeStopped':
        if (this.#workers.delete(seen.node)) this.#staff()
        this.#handlers.stopped(seen.node)
        if (seen.node === 'broker') this.#batches.clear()
        return
      case 'changed':
        this.#staff()
        return
      case 'submitting':
        this.#submitting(seen)
        return
      case 'refused':
      case 'outcomeUnknown':
        this.#submissions.delete(seen.id)
        return
      case 'outcome':
        this.#outcome(seen)
        return
      case 'handlerStarted':
        this.#count('starts')
        if (this.#handlers.started(seen)) this.#count('duplicates')
        return
      case 'handlerEnded':
        this.#handlers.ended(seen)
        return
      case 'heardByNode':
        if (seen.message.type === 'submitted')
          this.#count('busy', seen.message.refused.filter(({ error }) => error.code === 'busy').length)
        return
      case 'heardByBroker':
        if (seen.message.type === 'credit' && this.#workers.has(seen.node))
          this.#workers.set(seen.node, seen.message.credit)
        return
      case 'transition':
        if (seen.machine === 'task') this.#passed(seen)
        return
      case 'appending':
        this.#backlog.appending(seen.batch)
        this.#batches.set(seen.batch, seen.events.length)
        this.#journalMax = Math.max(this.#journalMax, this.#journal)
        return
      case 'appended':
        this.#backlog.appended(seen.batch)
        this.#batches.delete(seen.batch)
        return
      case 'recovered':
        this.#backlog.recovered(seen.lastBatch)
        return
      case 'frame':
        this.#buffers.set(`${seen.connection} ${seen.by}`, seen.buffered)
        this.#bufferedMax = Math.max(this.#bufferedMax, this.#buffered)
        return
      case 'disconnected':
        this.#buffers.delete(`${seen.connection} ${seen.side}`)
    }
  }

  view(atMs: number): MeasuresView {
    // What is closed here will be closed in the same way when the run goes on.
    const whole = this.#bucketFromMs + this.#bucketMs > atMs ? this : this.copy()
    if (whole !== this) while (whole.#bucketFromMs + whole.#bucketMs <= atMs) whole.#close()
    const { delayed, ready, leased } = whole.#backlog.counts
    const { oldestSinceMs } = whole.#backlog
    return viewOf(atMs, whole.#bucketMs, whole.#rowsUntil(atMs), {
      totals: { ...whole.#totals },
      delayed,
      ready,
      leased,
      dead: whole.#backlog.dead,
      inSystem: whole.#backlog.inSystem,
      oldestMs: oldestSinceMs === undefined ? 0 : atMs - oldestSinceMs,
      busySlots: whole.#handlers.size,
      slots: whole.#slots,
      freeCredit: whole.#freeCredit,
      journalPending: whole.#journal,
      bufferedBytes: whole.#buffered,
      ...whole.#percentiles(atMs),
    })
  }

  /** The same state may have been shown at a later instant already. */
  #rowsUntil(atMs: number): Rows {
    return new Rows(Column.count, this.#rows.cells(Math.min(this.#rows.length, Math.floor(atMs / this.#bucketMs))))
  }

  #staff(): void {
    this.#slots = 0
    for (const worker of this.#workers.keys()) this.#slots += this.#groups.slotsOf(worker)
  }

  get #freeCredit(): number {
    let credit = 0
    for (const asked of this.#workers.values()) credit += asked
    return Math.max(0, credit - this.#backlog.counts.leased)
  }

  get #journal(): number {
    let events = 0
    for (const inBatch of this.#batches.values()) events += inBatch
    return events
  }

  get #buffered(): number {
    let bytes = 0
    for (const inSocket of this.#buffers.values()) bytes += inSocket
    return bytes
  }

  #count(name: CountName, by = 1): void {
    this.#counts[name] += by
    this.#totals[name] += by
  }

  #submitting({ id, node, atMs }: Extract<Seen, { type: 'submitting' }>): void {
    // Submitted again under the same id, it is the same task.
    if (this.#submissions.has(id)) return
    this.#count('submitted')
    this.#submissions.set(id, { atMs, patienceMs: this.#groups.patienceMsOf(node) })
    // Some outcomes nobody waits for.
    if (this.#submissions.size > WAITING_MAX)
      for (const oldest of this.#submissions.keys()) return void this.#submissions.delete(oldest)
  }

  #outcome({ id, status, atMs }: Extract<Seen, { type: 'outcome' }>): void {
    const submission = this.#submissions.get(id)
    if (submission === undefined) return
    this.#submissions.delete(id)
    const latencyMs = atMs - submission.atMs
    this.#latencies.add([atMs, latencyMs])
    if (status === 'succeeded' && latencyMs <= submission.patienceMs) this.#count('inTime')
  }

  #passed(seen: Extract<Seen, { type: 'transition' }>): void {
    const { entered, leftAfterMs } = this.#backlog.pass(seen)
    const { event, from, to } = seen
    if (entered) this.#count('accepted')
    if (from === 'leased' && (to === 'ready' || to === 'delayed')) this.#count('retries')
    if (leftAfterMs === undefined) return
    this.#count('left')
    this.#leftMs += leftAfterMs
    if (event === 'tasksSucceeded') this.#count('succeeded')
    else if (to === 'dead') this.#count('died')
    else if (to === 'cancelled') this.#count('cancelled')
  }

  #sum(untilMs: number): void {
    const ms = untilMs - this.#summedMs
    if (ms <= 0) return
    this.#systemArea += ms * this.#backlog.inSystem
    this.#busyArea += ms * this.#handlers.size
    this.#slotArea += ms * this.#slots
    this.#summedMs = untilMs
  }

  #close(): void {
    const untilMs = this.#bucketFromMs + this.#bucketMs
    this.#sum(untilMs)
    const { delayed, ready, leased } = this.#backlog.counts
    const { oldestSinceMs, dead } = this.#backlog
    const { p50, p95, p99 } = this.#percentiles(untilMs)
    this.#rows.add([
      untilMs,
      ...COUNTS.map((name) => this.#counts[name]),
      this.#systemArea,
      this.#busyArea,
      this.#slotArea,
      this.#leftMs,
      this.#journalMax,
      this.#bufferedMax,
      delayed + ready,
      leased,
      dead,
      oldestSinceMs === undefined ? 0 : untilMs - oldestSinceMs,
      this.#freeCredit,
      p50,
      p95,
      p99,
    ])
    this.#counts = zeros()
    this.#systemArea = 0
    this.#busyArea = 0
    this.#slotArea = 0
    this.#leftMs = 0
    this.#journalMax = this.#journal
    this.#bufferedMax = this.#buffered
    this.#bucketFromMs = untilMs
    if (this.#rows.length < BUCKETS || this.#rows.length % 2 === 1) return
    this.#rows = coarser(this.#rows)
    this.#bucketMs *= 2
  }

  #percentiles(atMs: number): { p50: number; p95: number; p99: number } {
    const from = this.#latencies.after(atMs - WINDOW_MS, 0)
    const until = this.#latencies.after(atMs, 0)
    const sorted = Array.from({ length: Math.min(SAMPLES, until - from) }, (_, at) =>
      this.#latencies.cell(until - 1 - at, 1),
    ).sort((a, b) => a - b)
    const at = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN
    return { p50: at(0.5), p95: at(0.95), p99: at(0.99) }
  }
}

function zeros(): Record<CountName, number> {
  return Object.fromEntries(COUNTS.map((name) => [name, 0])) as Record<CountName, number>
}
