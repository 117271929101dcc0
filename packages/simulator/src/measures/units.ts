import type { MeasuresView, SeriesName } from '../view/series.ts'
import { numberText, spanText } from '../view/words.ts'

/** Up to three digits that mean something, such as `0.25`, `7.5`, `120` or `3.4k`. */
export function shortText(value: number): string {
  if (value >= 9999.5) return `${trimmed(value / 1000)}k`
  return value >= 99.5 ? String(Math.round(value)) : trimmed(value)
}

export function rateText(value: number): string {
  return `${value >= 99.5 ? numberText(Math.round(value)) : trimmed(value)} /s`
}

export function tasksText(value: number): string {
  return numberText(Math.round(value * 10) / 10)
}

export function percentText(share: number): string {
  return `${Math.round(share * 100)} %`
}

export function bytesText(bytes: number): string {
  if (bytes < 1000) return `${Math.round(bytes)} B`
  return bytes < 1e6 ? `${trimmed(bytes / 1000)} kB` : `${trimmed(bytes / 1e6)} MB`
}

export function timesText(value: number): string {
  return `${value.toFixed(2)} ×`
}

/** A span of time for the axis of a chart. */
export function spanTick(ms: number): string {
  return ms === 0 ? '0' : ms < 1000 ? `${Math.round(ms)} ms` : `${trimmed(ms / 1000)} s`
}

function trimmed(value: number): string {
  return value >= 99.5 ? String(Math.round(value)) : String(Number(value.toFixed(value < 0.995 ? 2 : 1)))
}

export type Unit = 'rate' | 'tasks' | 'time' | 'share' | 'bytes' | 'events' | 'times'

/** What each number is called, what it counts, and how it is written. */
export const MEANINGS: Readonly<Record<SeriesName, { name: string; unit: Unit }>> = {
  submitted: { name: 'submitted', unit: 'rate' },
  succeeded: { name: 'throughput', unit: 'rate' },
  inTime: { name: 'goodput', unit: 'rate' },
  busy: { name: 'told busy', unit: 'rate' },
  retries: { name: 'retries', unit: 'rate' },
  duplicates: { name: 'duplicates', unit: 'rate' },
  depth: { name: 'waiting', unit: 'tasks' },
  leased: { name: 'leased', unit: 'tasks' },
  dead: { name: 'dead letters', unit: 'tasks' },
  oldestMs: { name: 'oldest', unit: 'time' },
  p50: { name: 'p50', unit: 'time' },
  p95: { name: 'p95', unit: 'time' },
  p99: { name: 'p99', unit: 'time' },
  utilisation: { name: 'busy slots', unit: 'share' },
  journalPending: { name: 'events', unit: 'events' },
  bufferedBytes: { name: 'bytes', unit: 'bytes' },
  freeCredit: { name: 'free credit', unit: 'tasks' },
  runsPerTask: { name: 'runs per task', unit: 'times' },
  inSystem: { name: 'L', unit: 'tasks' },
  arrivalsTimesWait: { name: 'λ × W', unit: 'tasks' },
}

const TEXTS: Readonly<Record<Unit, (value: number) => string>> = {
  rate: rateText,
  tasks: tasksText,
  time: spanText,
  share: percentText,
  bytes: bytesText,
  events: tasksText,
  times: timesText,
}

/** How a value of this kind is written; a dash if there is none. */
export function textOf(unit: Unit): (value: number) => string {
  return (value) => (Number.isFinite(value) ? TEXTS[unit](value) : '–')
}

const COLUMN_UNITS: Readonly<Record<Unit, string>> = {
  rate: '/s',
  tasks: 'tasks',
  time: 'ms',
  share: '%',
  bytes: 'bytes',
  events: 'events',
  times: '×',
}

/** The rows as comma-separated values, with one line of headings. A value that is not there is empty. */
export function measuresCsv({ times, series }: MeasuresView): string {
  const columns = Object.entries(MEANINGS) as [SeriesName, { name: string; unit: Unit }][]
  const headings = ['until (ms)', ...columns.map(([, { name, unit }]) => `${name} (${COLUMN_UNITS[unit]})`)]
  const rows = Array.from(times, (time, row) => [
    String(time),
    ...columns.map(([key, { unit }]) => {
      const value = series[key][row] as number
      return Number.isFinite(value) ? String(Number((unit === 'share' ? value * 100 : value).toFixed(4))) : ''
    }),
  ])
  return `${[headings, ...rows].map((cells) => cells.join(',')).join('\r\n')}\r\n`
}
