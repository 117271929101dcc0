import type { Observation, ObservationType, Scenario } from '@sluice/world'
import { latenciesOf, quantile, type Submission, submissionsOf } from '@sluice/world/phenomena'

/** The observations that `measured` needs. */
export const LOOKS_AT: readonly ObservationType[] = [
  'submitting',
  'accepted',
  'refused',
  'outcome',
  'outcomeUnknown',
  'handlerStarted',
  'handlerEnded',
  'nodeStopped',
  'connected',
  'heardByNode',
]

/** About so many points make a line. */
const POINTS = 60
const BUCKETS_MS = [100, 250, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000]
/** Percentiles over time are those of the outcomes of so many buckets. */
const LATENCY_BUCKETS = 3

/**
 * One number for each bucket of a run.
 * - `useful`, `done`, `retries`, `busy`, `givenUp`, `connections`: a second. `useful`: a result that came while its user
 *   still waited. `retries`: submissions of an impatient user, and attempts of a handler, after the first.
 * - `waiting`: tasks that no handler works on and whose end their producer does not know, at the end of the bucket.
 * - `p95Ms`: from submission to result, for what ended lately; NaN if nothing did.
 * - `lost`: accepted tasks that the broker does not know any more, from the beginning.
 */
export type SeriesName =
  | 'useful'
  | 'done'
  | 'waiting'
  | 'p95Ms'
  | 'retries'
  | 'busy'
  | 'givenUp'
  | 'lost'
  | 'connections'

/**
 * Of a whole run. Shares are from 0 to 1; `perRequest` is submissions per request. `usefulShare` leaves out requests whose
 * users still wait at the end. NaN: nothing to measure.
 */
export type TotalName =
  | 'requests'
  | 'submissions'
  | 'perRequest'
  | 'done'
  | 'useful'
  | 'usefulShare'
  | 'p50Ms'
  | 'p95Ms'
  | 'p99Ms'
  | 'waitingMax'
  | 'retries'
  | 'busy'
  | 'givenUp'
  | 'lost'
  | 'lastDoneMs'
  | 'peakConnections'

export interface Measured {
  untilMs: number
  bucketMs: number
  /** The value of the bucket that ends at `(at + 1) × bucketMs`. */
  series: Readonly<Record<SeriesName, readonly number[]>>
  totals: Readonly<Record<TotalName, number>>
}

/** The span of one bucket of a run that is so long. */
export function bucketOf(untilMs: number): number {
  return BUCKETS_MS.find((ms) => ms * POINTS >= untilMs) ?? Math.ceil(untilMs / POINTS)
}

/** What one run amounts to, as its users see it. It uses only the observations up to `untilMs`. */
export function measured(seen: readonly Observation[], scenario: Scenario, untilMs: number): Measured {
  const bucketMs = bucketOf(untilMs)
  const buckets = Math.ceil(untilMs / bucketMs)
  const submissions = submissionsOf(seen)
  const patienceOf = patienceIn(scenario)
  const isUseful = (submission: Submission): boolean =>
    (submission.succeededAtMs as number) - submission.submittedAtMs <= patienceOf(submission)
  const done = submissions.filter(({ succeededAtMs }) => succeededAtMs !== undefined)
  const useful = firstOfEachWish(done.filter(isUseful))
  const ends = endsOf(seen)
  const runs = seen.filter((one) => one.type === 'handlerStarted')
  const retriesAtMs = [
    ...submissions.filter(({ attempt }) => attempt > 1).map(({ submittedAtMs }) => submittedAtMs),
    ...runs.filter(({ attempt }) => attempt > 1).map(({ atMs }) => atMs),
  ]
  const busyAtMs = seen.flatMap((one) =>
    one.type === 'heardByNode' && one.message.type === 'submitted'
      ? one.message.refused.filter(({ error }) => error.code === 'busy').map(() => one.atMs)
      : [],
  )
  const connectedAtMs = seen.flatMap(({ type, atMs }) => (type === 'connected' ? [atMs] : []))
  const lostAtMs = lossesOf(seen)
  const waiting = waitingAt(seen, bucketMs, buckets)
  const perSecond = (instants: readonly number[]): number[] =>
    countsOf(instants, bucketMs, buckets).map((count) => (count * 1000) / bucketMs)
  const requests = new Set(submissions.map(wishKey)).size
  // Nobody can say yet whether the last ones will be answered in time.
  const isJudged = (submission: Submission): boolean => {
    const patienceMs = patienceOf(submission)
    return patienceMs === Number.POSITIVE_INFINITY || submission.submittedAtMs + patienceMs <= untilMs
  }
  const judged = new Set(
    submissions
      .filter(({ attempt }) => attempt === 1)
      .filter(isJudged)
      .map(wishKey),
  )
  const latencies = latenciesOf(done)
  const resultAtMs = done.map(({ succeededAtMs }) => succeededAtMs as number)
  const connections = perSecond(connectedAtMs)
  return {
    untilMs,
    bucketMs,
    series: {
      useful: perSecond(useful.map(({ succeededAtMs }) => succeededAtMs as number)),
      done: perSecond(resultAtMs),
      waiting,
      p95Ms: p95Of(done, bucketMs, buckets),
      retries: perSecond(retriesAtMs),
      busy: perSecond(busyAtMs),
      givenUp: perSecond(ends.givenUpAtMs),
      lost: runningSum(countsOf(lostAtMs, bucketMs, buckets)),
      connections,
    },
    totals: {
      requests,
      submissions: submissions.length,
      perRequest: submissions.length / requests,
      done: done.length,
      useful: useful.length,
      usefulShare: useful.filter((one) => judged.has(wishKey(one))).length / judged.size,
      p50Ms: quantile(latencies, 0.5),
      p95Ms: quantile(latencies, 0.95),
      p99Ms: quantile(latencies, 0.99),
      waitingMax: Math.max(0, ...waiting),
      retries: retriesAtMs.length,
      busy: busyAtMs.length,
      givenUp: ends.givenUpAtMs.length,
      lost: lostAtMs.length,
      lastDoneMs: resultAtMs.length === 0 ? Number.NaN : Math.max(...resultAtMs),
      // The first connections of all nodes come at the beginning.
      peakConnections: Math.max(0, ...connections.slice(Math.ceil(1000 / bucketMs))),
    },
  }
}

function wishKey({ node, wish }: Submission): string {
  return `${node} ${wish}`
}

/** A user who has a result already needs no second one. */
function firstOfEachWish(submissions: readonly Submission[]): Submission[] {
  const byWish = new Map<string, Submission>()
  for (const submission of submissions) {
    const before = byWish.get(wishKey(submission))
    if (before === undefined || (before.succeededAtMs as number) > (submission.succeededAtMs as number))
      byWish.set(wishKey(submission), submission)
  }
  return [...byWish.values()]
}

/** How long a result is useful. Users without a limit take any. */
function patienceIn({ producers }: Scenario): (submission: Submission) => number {
  const patience = producers.flatMap(({ count, patienceMs = Number.POSITIVE_INFINITY }) =>
    Array.from({ length: count }, () => patienceMs),
  )
  return ({ node }) => patience[Number(node.split('-')[1]) - 1] ?? Number.POSITIVE_INFINITY
}

/** When tasks were given up: dead letters, and those that were refused for good. */
function endsOf(seen: readonly Observation[]): { givenUpAtMs: number[] } {
  const ended = new Set<string>()
  const givenUpAtMs: number[] = []
  for (const one of seen) {
    if (one.type !== 'refused' && !(one.type === 'outcome' && one.status === 'dead')) continue
    if (ended.has(one.id)) continue
    ended.add(one.id)
    givenUpAtMs.push(one.atMs)
  }
  return { givenUpAtMs }
}

/** When producers learned that the broker does not know their accepted tasks. */
function lossesOf(seen: readonly Observation[]): number[] {
  const accepted = new Set<string>()
  const lost = new Map<string, number>()
  for (const one of seen) {
    if (one.type === 'accepted') accepted.add(one.id)
    else if (one.type === 'outcomeUnknown' && accepted.has(one.id)) lost.set(one.id, one.atMs)
  }
  return [...lost.values()]
}

function waitingAt(seen: readonly Observation[], bucketMs: number, buckets: number): number[] {
  const open = new Set<string>()
  /** By task: the worker that has begun it. */
  const running = new Map<string, string>()
  const counts: number[] = []
  const close = (untilMs: number): void => {
    while (counts.length < buckets && (counts.length + 1) * bucketMs < untilMs) counts.push(waitingNow())
  }
  const waitingNow = (): number => {
    let atWork = 0
    for (const id of running.keys()) if (open.has(id)) atWork += 1
    return open.size - atWork
  }
  for (const one of seen) {
    close(one.atMs)
    switch (one.type) {
      case 'submitting':
        open.add(one.id)
        break
      case 'refused':
      case 'outcome':
      case 'outcomeUnknown':
        open.delete(one.id)
        break
      case 'handlerStarted':
        running.set(one.id, one.node)
        break
      case 'handlerEnded':
        running.delete(one.id)
        break
      case 'nodeStopped':
        for (const [id, node] of running) if (node === one.node) running.delete(id)
    }
  }
  close(Number.POSITIVE_INFINITY)
  return counts
}

function countsOf(instants: readonly number[], bucketMs: number, buckets: number): number[] {
  const counts = new Array<number>(buckets).fill(0)
  for (const atMs of instants) {
    const at = Math.min(buckets - 1, Math.floor(atMs / bucketMs))
    counts[at] = (counts[at] as number) + 1
  }
  return counts
}

function runningSum(counts: readonly number[]): number[] {
  let sum = 0
  return counts.map((count) => {
    sum += count
    return sum
  })
}

function p95Of(done: readonly Submission[], bucketMs: number, buckets: number): number[] {
  const perBucket = Array.from({ length: buckets }, (): number[] => [])
  for (const { submittedAtMs, succeededAtMs } of done) {
    const endMs = succeededAtMs as number
    perBucket[Math.min(buckets - 1, Math.floor(endMs / bucketMs))]?.push(endMs - submittedAtMs)
  }
  return perBucket.map((_, at) => quantile(perBucket.slice(Math.max(0, at - LATENCY_BUCKETS + 1), at + 1).flat(), 0.95))
}
