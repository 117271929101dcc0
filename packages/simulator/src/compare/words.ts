import { spanText } from '../view/words.ts'
import type { Measured, SeriesName, TotalName } from './measured.ts'
import { smooth, valueText } from './scale.ts'

export const SERIES: Readonly<Record<SeriesName, { title: string; unit: string }>> = {
  useful: { title: 'Useful answers', unit: 'a second' },
  done: { title: 'Throughput', unit: 'tasks a second' },
  waiting: { title: 'Waiting tasks', unit: 'tasks' },
  p95Ms: { title: 'Latency, p95', unit: 's' },
  retries: { title: 'Retries', unit: 'a second' },
  busy: { title: 'Told “busy”', unit: 'a second' },
  givenUp: { title: 'Given up', unit: 'tasks a second' },
  lost: { title: 'Accepted and lost', unit: 'tasks so far' },
  connections: { title: 'New connections', unit: 'a second' },
}

/** Counts of short spans leap, so that a line through their means is drawn. */
const SMOOTHED: ReadonlySet<SeriesName> = new Set(['useful', 'done', 'retries', 'busy', 'givenUp'])
/** So many values make a mean. */
const SPAN = 3

/** A series as it is drawn: in the unit of its figure. */
export function drawnOf(name: SeriesName, { series }: Measured): readonly number[] {
  const values = series[name]
  if (name === 'p95Ms') return values.map((ms) => ms / 1000)
  return SMOOTHED.has(name) ? smooth(values, SPAN) : values
}

interface TotalWords {
  /** For a row of a table. */
  title: string
  /** What there is more or fewer of; of a time: what takes longer. */
  noun: string
  kind: 'count' | 'ratio' | 'share' | 'time'
}

export const TOTALS: Readonly<Record<TotalName, TotalWords>> = {
  requests: { title: 'Requests', noun: 'requests', kind: 'count' },
  submissions: { title: 'Submissions', noun: 'submissions', kind: 'count' },
  perRequest: { title: 'Submissions per request', noun: 'submissions per request', kind: 'ratio' },
  done: { title: 'Tasks done', noun: 'tasks done', kind: 'count' },
  useful: { title: 'Useful answers', noun: 'useful answers', kind: 'count' },
  usefulShare: { title: 'Requests answered in time', noun: 'requests answered in time', kind: 'share' },
  p50Ms: { title: 'Median latency', noun: 'median latency', kind: 'time' },
  p95Ms: { title: 'Latency, p95', noun: 'p95 latency', kind: 'time' },
  p99Ms: { title: 'Latency, p99', noun: 'p99 latency', kind: 'time' },
  waitingMax: { title: 'Most waiting tasks', noun: 'waiting tasks at the most', kind: 'count' },
  retries: { title: 'Retries', noun: 'retries', kind: 'count' },
  busy: { title: 'Told “busy”', noun: 'answers “busy”', kind: 'count' },
  givenUp: { title: 'Given up', noun: 'tasks given up', kind: 'count' },
  lost: { title: 'Accepted and lost', noun: 'accepted tasks lost', kind: 'count' },
  lastDoneMs: { title: 'Total time', noun: 'total time', kind: 'time' },
  peakConnections: { title: 'Most new connections', noun: 'new connections a second at the most', kind: 'ratio' },
}

export function totalText(name: TotalName, value: number): string {
  if (Number.isNaN(value)) return '–'
  switch (TOTALS[name].kind) {
    case 'time':
      return spanText(value)
    case 'share':
      return `${Math.round(value * 100)}\u00A0%`
    default:
      return valueText(value)
  }
}

/** How the second value differs from the first one, such as `31 % fewer submissions`. */
export function differenceText(name: TotalName, first: number, second: number): string {
  const { noun, kind } = TOTALS[name]
  if (Number.isNaN(first) || Number.isNaN(second)) return `no ${noun} to compare`
  const isTime = kind === 'time'
  if (first === second) return isTime ? `the same ${noun}` : `as many ${noun}`
  if (first === 0) return `${totalText(name, second)} ${noun} instead of none`
  if (second === 0) return `no ${noun} instead of ${totalText(name, first)}`
  const ratio = second / first
  if (ratio >= 2) return isTime ? `${times(ratio)} the ${noun}` : `${times(ratio)} as many ${noun}`
  const percent = Math.round(Math.abs(ratio - 1) * 100)
  if (percent === 0) return `almost ${isTime ? 'the same' : 'as many'} ${noun}`
  if (isTime) return `a ${noun} that is ${percent}\u00A0% ${ratio < 1 ? 'shorter' : 'longer'}`
  return `${percent}\u00A0% ${ratio < 1 ? 'fewer' : 'more'} ${noun}`
}

function times(ratio: number): string {
  return `${valueText(Number(ratio.toPrecision(2)))}\u00A0×`
}

/** One sentence about two runs. */
export function summaryOf(label: string, says: readonly TotalName[], first: Measured, second: Measured): string {
  const parts = says.map((name) => differenceText(name, first.totals[name], second.totals[name]))
  const last = parts.pop() ?? ''
  return `With ${label}: ${parts.length === 0 ? last : `${parts.join(', ')} and ${last}`}.`
}
