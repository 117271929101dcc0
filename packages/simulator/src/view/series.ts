import { Rows } from './rows.ts'

/** With more rows than this, two become one. */
export const BUCKETS = 2000
/** Percentiles look at no more outcomes than this. */
export const SAMPLES = 2000
/** Means over time are those of so long, or of ten rows if that is longer. */
const WINDOW_MS = 30_000
const WINDOW_ROWS_MIN = 10

/** What is counted in each row. */
export const COUNTS = [
  'submitted',
  'accepted',
  'succeeded',
  'inTime',
  'died',
  'cancelled',
  'left',
  'busy',
  'retries',
  'starts',
  'duplicates',
] as const
export type CountName = (typeof COUNTS)[number]

/** Which kind of number stands in which cell of a row. What comes first is added when two rows become one. */
const SUMS = [...COUNTS, 'systemArea', 'busyArea', 'slotArea', 'leftMs'] as const
const MAXIMA = ['journalPending', 'bufferedBytes'] as const
const LAST = ['depth', 'leased', 'dead', 'oldestMs', 'freeCredit', 'p50', 'p95', 'p99'] as const
const NAMES: readonly string[] = ['untilMs', ...SUMS, ...MAXIMA, ...LAST]

type ColumnName = 'untilMs' | (typeof SUMS)[number] | (typeof MAXIMA)[number] | (typeof LAST)[number]

export const Column = {
  count: NAMES.length,
  of: (name: ColumnName): number => NAMES.indexOf(name),
}

/** Two rows become one. */
export function coarser(rows: Rows): Rows {
  const cells: number[] = []
  for (let at = 0; at + 1 < rows.length; at += 2) {
    const [first, second] = [rows.row(at), rows.row(at + 1)]
    for (const [column, name] of NAMES.entries()) {
      const [a, b] = [first[column] as number, second[column] as number]
      if ((SUMS as readonly string[]).includes(name)) cells.push(a + b)
      else if ((MAXIMA as readonly string[]).includes(name)) cells.push(Math.max(a, b))
      else cells.push(b)
    }
  }
  return new Rows(Column.count, cells)
}

/**
 * One number for each row.
 * - `submitted`, `succeeded`, `inTime`, `busy`, `retries`, `duplicates`: a second. `succeeded` is throughput: the broker
 *   has recorded the result. `inTime` is goodput: the result reached its producer while it was useful. `busy`: tasks
 *   that were refused for now. `duplicates`: handlers of a task that another one works on or has done.
 * - `depth`: tasks that wait at the broker, ready or delayed. `leased`, `dead`: tasks.
 * - `oldestMs`: how long the ready task that waits longest has waited.
 * - `p50`, `p95`, `p99`: from the submission to its outcome, in ms, of the last 30 s. NaN if there was none.
 * - `utilisation`: the share of slots with a handler, 0 to 1. NaN if there was no slot.
 * - `journalPending`: the most events at once that waited for the disk.
 * - `bufferedBytes`: the most bytes at once that had not left the sockets.
 * - `freeCredit`: deliveries that workers have asked for and not got.
 * - `runsPerTask`: handlers started for each accepted task, of the last 30 s. 1 is no retry at all.
 * - `inSystem`: L, the mean number of unfinished tasks at the broker, of the last 30 s. `arrivalsTimesWait`: λ × W.
 */
export const SERIES = [
  'submitted',
  'succeeded',
  'inTime',
  'busy',
  'retries',
  'duplicates',
  'depth',
  'leased',
  'dead',
  'oldestMs',
  'p50',
  'p95',
  'p99',
  'utilisation',
  'journalPending',
  'bufferedBytes',
  'freeCredit',
  'runsPerTask',
  'inSystem',
  'arrivalsTimesWait',
] as const
export type SeriesName = (typeof SERIES)[number]

/** Little's law, L = λW, measured on each side by itself. */
export interface LittlesLaw {
  /** L: the mean number of unfinished tasks at the broker. */
  inSystem: number
  /** λ: accepted tasks a second. */
  arrivalsPerS: number
  /** W: how long those that ended had been with the broker, in ms. NaN if none ended. */
  timeMs: number
  /** The span over which all three were measured, in ms. */
  windowMs: number
}

/** The numbers of an instant. */
export interface MeasuresNow {
  /** Since the beginning. */
  totals: Readonly<Record<CountName, number>>
  delayed: number
  ready: number
  leased: number
  dead: number
  /** Unfinished tasks at the broker. */
  inSystem: number
  oldestMs: number
  busySlots: number
  slots: number
  freeCredit: number
  journalPending: number
  bufferedBytes: number
  p50: number
  p95: number
  p99: number
}

export interface MeasuresView {
  atMs: number
  /** The span of a row. */
  bucketMs: number
  /** The end of each row, in ms. Only whole rows are there. */
  times: Float64Array<ArrayBuffer>
  series: Readonly<Record<SeriesName, Float64Array<ArrayBuffer>>>
  now: MeasuresNow
  little: LittlesLaw
}

export function viewOf(atMs: number, bucketMs: number, rows: Rows, now: MeasuresNow): MeasuresView {
  const window = Math.max(WINDOW_ROWS_MIN, Math.round(WINDOW_MS / bucketMs))
  const column = (name: ColumnName): Float64Array<ArrayBuffer> => {
    const at = Column.of(name)
    return Float64Array.from({ length: rows.length }, (_, row) => rows.cell(row, at))
  }
  const rate = (name: CountName) => column(name).map((count) => (count * 1000) / bucketMs)
  const windowed = (name: ColumnName) => trailing(column(name), window)
  const spans = trailing(new Float64Array(rows.length).fill(bucketMs), window)
  const accepted = windowed('accepted')
  const system = windowed('systemArea').map((area, row) => area / (spans[row] as number))
  const left = windowed('left')
  const timeMs = windowed('leftMs').map((ms, row) => ms / (left[row] as number))
  const perS = accepted.map((count, row) => (count * 1000) / (spans[row] as number))
  const starts = windowed('starts')
  const slots = column('slotArea')
  const last = rows.length - 1
  return {
    atMs,
    bucketMs,
    times: column('untilMs'),
    series: {
      submitted: rate('submitted'),
      succeeded: rate('succeeded'),
      inTime: rate('inTime'),
      busy: rate('busy'),
      retries: rate('retries'),
      duplicates: rate('duplicates'),
      depth: column('depth'),
      leased: column('leased'),
      dead: column('dead'),
      oldestMs: column('oldestMs'),
      p50: column('p50'),
      p95: column('p95'),
      p99: column('p99'),
      utilisation: column('busyArea').map((area, row) => area / (slots[row] as number)),
      journalPending: column('journalPending'),
      bufferedBytes: column('bufferedBytes'),
      freeCredit: column('freeCredit'),
      runsPerTask: starts.map((count, row) =>
        (accepted[row] as number) > 0 ? count / (accepted[row] as number) : Number.NaN,
      ),
      inSystem: system,
      arrivalsTimesWait: perS.map((rateOf, row) => (rateOf * (timeMs[row] as number)) / 1000),
    },
    now,
    little: {
      inSystem: system[last] ?? 0,
      arrivalsPerS: perS[last] ?? 0,
      timeMs: timeMs[last] ?? Number.NaN,
      windowMs: spans[last] ?? 0,
    },
  }
}

/** For each row the sum of it and those before it, `window` rows in all. */
function trailing(values: Float64Array<ArrayBuffer>, window: number): Float64Array<ArrayBuffer> {
  let sum = 0
  return values.map((value, row) => {
    sum += value - (row >= window ? (values[row - window] as number) : 0)
    return sum
  })
}
