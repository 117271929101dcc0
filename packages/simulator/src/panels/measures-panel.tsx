import { useState } from 'preact/hooks'
import { type Dash, Plot, type PlotLine } from '../measures/plot.tsx'
import {
  MEANINGS,
  percentText,
  rateText,
  shortText,
  spanTick,
  tasksText,
  textOf,
  type Unit,
} from '../measures/units.ts'
import type { MeasuresView, SeriesName } from '../view/series.ts'
import { clockText, spanText } from '../view/words.ts'
import { MeasuresTable } from './measures-table.tsx'
import './panels.css'

interface Chart {
  title: string
  about: string
  unit: Unit
  /** Each with its colour. The first is the one that matters most. */
  lines: readonly (readonly [SeriesName, colour: string, dash?: Dash])[]
  atLeast: number
}

const CHARTS: readonly Chart[] = [
  {
    title: 'Work',
    about: 'tasks a second, asked for and done',
    unit: 'rate',
    lines: [
      ['submitted', '--muted', 'dotted'],
      ['succeeded', '--accent'],
      ['inTime', '--good', 'dashed'],
    ],
    atLeast: 2,
  },
  {
    title: 'In the queue',
    about: 'tasks that wait, and tasks at workers',
    unit: 'tasks',
    lines: [
      ['depth', '--accent'],
      ['leased', '--task-leased', 'dashed'],
    ],
    atLeast: 8,
  },
  {
    title: 'Time to the outcome',
    about: 'half, 95 % and 99 % are faster; last 30 s',
    unit: 'time',
    lines: [
      ['p50', '--good', 'dotted'],
      ['p95', '--accent'],
      ['p99', '--bad', 'dashed'],
    ],
    atLeast: 100,
  },
  {
    title: 'Longest wait',
    about: 'of a task that is ready now',
    unit: 'time',
    lines: [['oldestMs', '--accent']],
    atLeast: 1000,
  },
  {
    title: 'Utilisation',
    about: 'share of slots with a handler',
    unit: 'share',
    lines: [['utilisation', '--accent']],
    atLeast: 1,
  },
  {
    title: 'Free credit',
    about: 'deliveries that workers would take',
    unit: 'tasks',
    lines: [['freeCredit', '--accent']],
    atLeast: 4,
  },
  {
    title: 'Back pressure',
    about: 'tasks a second that were told busy',
    unit: 'rate',
    lines: [['busy', '--bad']],
    atLeast: 2,
  },
  {
    title: 'Done again',
    about: 'attempts and handlers a second',
    unit: 'rate',
    lines: [
      ['retries', '--warn'],
      ['duplicates', '--bad', 'dashed'],
    ],
    atLeast: 2,
  },
  {
    title: 'Amplification',
    about: 'handlers begun for each task; last 30 s',
    unit: 'times',
    lines: [['runsPerTask', '--accent']],
    atLeast: 2,
  },
  {
    title: 'Dead letters',
    about: 'tasks that failed for good',
    unit: 'tasks',
    lines: [['dead', '--bad']],
    atLeast: 4,
  },
  {
    title: 'Journal',
    about: 'most events that waited for the disk',
    unit: 'events',
    lines: [['journalPending', '--accent']],
    atLeast: 8,
  },
  {
    title: 'Buffers',
    about: 'most bytes that had not left a socket',
    unit: 'bytes',
    lines: [['bufferedBytes', '--accent']],
    atLeast: 1000,
  },
]

const TICKS: Readonly<Record<Unit, (value: number) => string>> = {
  rate: shortText,
  tasks: shortText,
  events: shortText,
  bytes: shortText,
  times: shortText,
  time: spanTick,
  share: percentText,
}

const SPANS = [
  { name: '1 min', ms: 60_000 },
  { name: '10 min', ms: 600_000 },
  { name: 'whole run', ms: Number.POSITIVE_INFINITY },
] as const

/** What a run amounts to, as figures over time, with the same numbers as a table. */
export function MeasuresPanel({ measures }: { measures: MeasuresView }) {
  const [spanMs, setSpan] = useState<number>(Number.POSITIVE_INFINITY)
  const [isTable, setTable] = useState(false)
  const { atMs, times, series, little } = measures
  const fromMs = Math.max(0, atMs - spanMs)
  const untilMs = Math.max(atMs, fromMs + 10_000)
  const lineOf = ([name, colour, dash = 'solid']: Chart['lines'][number]): PlotLine => ({
    label: MEANINGS[name].name,
    values: series[name],
    colour,
    dash,
  })
  return (
    <section class="panel measures" aria-label="Measures">
      <div class="panel-bar">
        <h2>Measures</h2>
        <fieldset class="choice">
          <legend class="unseen">Time that is shown</legend>
          {SPANS.map(({ name, ms }) => (
            <label key={name}>
              <input type="radio" name="span" checked={spanMs === ms} onChange={() => setSpan(ms)} />
              <span>{name}</span>
            </label>
          ))}
        </fieldset>
        <button type="button" class="panel-button" aria-pressed={isTable} onClick={() => setTable(!isTable)}>
          Table
        </button>
      </div>
      {isTable ? (
        <MeasuresTable measures={measures} fromMs={fromMs} />
      ) : (
        <div class="figures">
          {CHARTS.map(({ title, about, unit, lines, atLeast }) => (
            <Plot
              key={title}
              title={title}
              about={about}
              times={times}
              lines={lines.map(lineOf)}
              text={textOf(unit)}
              tick={TICKS[unit]}
              atLeast={atLeast}
              fromMs={fromMs}
              untilMs={untilMs}
            />
          ))}
          <div class="little">
            <Plot
              title="Little’s law"
              about="tasks in the broker, measured in two ways"
              times={times}
              lines={[lineOf(['inSystem', '--accent']), lineOf(['arrivalsTimesWait', '--warn', 'dashed'])]}
              text={textOf('tasks')}
              tick={shortText}
              atLeast={4}
              fromMs={fromMs}
              untilMs={untilMs}
            />
            <LittlesLawNow little={little} />
          </div>
        </div>
      )}
      <p class="fineprint">
        {times.length === 0
          ? 'The first row comes after one second of simulated time.'
          : `One point for each ${measures.bucketMs === 1000 ? 'second' : `${measures.bucketMs / 1000} seconds`} of simulated time, up to ${clockText(times.at(-1) as number)}.`}
      </p>
    </section>
  )
}

function LittlesLawNow({ little }: { little: MeasuresView['little'] }) {
  const { inSystem, arrivalsPerS, timeMs, windowMs } = little
  const product = (arrivalsPerS * timeMs) / 1000
  const isClose = Math.abs(product - inSystem) <= 0.1 * Math.max(1, inSystem)
  return (
    <div class="equation">
      <dl>
        <div>
          <dt>L, in the broker</dt>
          <dd>{tasksText(inSystem)}</dd>
        </div>
        <div class={isClose ? 'equals' : 'nears'}>
          <dt>λ, arrivals</dt>
          <dd>{rateText(arrivalsPerS)}</dd>
        </div>
        <div class="times">
          <dt>W, time in it</dt>
          <dd>{Number.isFinite(timeMs) ? spanText(timeMs) : '–'}</dd>
        </div>
      </dl>
      <p class="fineprint">
        {Number.isFinite(product)
          ? `${rateText(arrivalsPerS)} × ${spanText(timeMs)} = ${tasksText(product)}, over the last ${clockText(windowMs)}`
          : 'No task has ended yet.'}
      </p>
    </div>
  )
}
