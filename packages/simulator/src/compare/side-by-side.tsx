import { useCallback, useEffect, useMemo, useState } from 'preact/hooks'
import type { Plan } from '../engine/run.ts'
import { pairedEngine } from '../player/paired-engine.ts'
import { endOf, Player } from '../player/player.ts'
import { useFrames } from '../player/use-frames.ts'
import { Stage } from '../stage/stage.tsx'
import { Legend } from '../ui/legend.tsx'
import { usePlayerKeys } from '../ui/shortcuts.ts'
import { clockText } from '../ui/time.ts'
import { Timeline } from '../ui/timeline.tsx'
import { Figure, Key, type Mark } from './figure.tsx'
import type { Measured, SeriesName, TotalName } from './measured.ts'
import type { Pair } from './pairs.ts'
import { pool } from './pool.ts'
import { valueText } from './scale.ts'
import { differenceText, drawnOf, SERIES, summaryOf, TOTALS, totalText } from './words.ts'

const ROWS: readonly TotalName[] = [
  'requests',
  'submissions',
  'done',
  'useful',
  'p50Ms',
  'p95Ms',
  'waitingMax',
  'retries',
  'busy',
  'givenUp',
  'lost',
]

/** Two worlds under one playhead, and their difference. */
export function SideBySide({ pair }: { pair: Pair }) {
  const engine = useMemo(() => pairedEngine(pair.runs[1].plan), [pair])
  const player = useMemo(
    () => new Player(pair.runs[0].plan, { untilMs: lastOf(pair), speed: pair.speed, engine }),
    [pair, engine],
  )
  useEffect(() => {
    player.play()
    return () => player.end()
  }, [player])
  useFrames(useCallback((ms: number) => player.frame(ms), [player]))
  usePlayerKeys(
    player,
    useCallback(() => {}, []),
  )
  const plan = player.plan.value
  const figures = useMeasured(pair, plan, engine.otherPlan)
  const shown = player.shown.value
  const other = shown && engine.beside(shown)
  const labels = pair.runs.map(({ label }) => label)
  const stages = [shown?.stage, other?.stage]
  const isChanged = plan !== pair.runs[0].plan
  return (
    <>
      <div class="worlds">
        {stages.map((stage, at) => (
          <section key={labels[at]} class="world" aria-label={labels[at]}>
            <h2 class={`world-name value-of-${at}`}>
              <span class={`world-mark mark-of-${at}`} aria-hidden="true" />
              {labels[at]}
            </h2>
            {stage === undefined ? (
              <p class="stage-wait" role="status">
                The world starts…
              </p>
            ) : (
              <Stage stage={stage} selected={undefined} label={`The world with ${labels[at]}`} />
            )}
          </section>
        ))}
      </div>
      <Timeline player={player} />
      <p class="both">
        <span>In both worlds, now:</span>
        <button
          type="button"
          class="small"
          onClick={() =>
            void player
              .change({ type: 'fault', fault: { type: 'pause', node: 'worker-1', forMs: 3000 } })
              .then(() => player.play())
          }
        >
          pause worker 1 for 3 s
        </button>
        <button
          type="button"
          class="small"
          onClick={() =>
            void player
              .change({ type: 'fault', fault: { type: 'powerLoss', restartAfterMs: 1000 } })
              .then(() => player.play())
          }
        >
          cut the broker’s power
        </button>
        {isChanged && (
          <button type="button" class="small" onClick={() => void restart(player, engine, pair)}>
            as it was
          </button>
        )}
      </p>
      <Legend />
      <Difference pair={pair} figures={figures} atMs={player.atMs.value} plan={plan} />
    </>
  )
}

async function restart(player: Player, engine: ReturnType<typeof pairedEngine>, pair: Pair): Promise<void> {
  engine.setOther(pair.runs[1].plan)
  await player.open(pair.runs[0].plan, { untilMs: lastOf(pair) })
  player.play()
}

/** What both runs amount to; undefined until that is known. */
function useMeasured(pair: Pair, plan: Plan, other: Plan): readonly [Measured, Measured] | undefined {
  const [figures, setFigures] = useState<readonly [Measured, Measured] | undefined>(undefined)
  useEffect(() => {
    const aborting = new AbortController()
    const order = (one: Plan) => pool().do('measure', { plan: one, untilMs: pair.untilMs }, aborting.signal)
    Promise.all([order(plan), order(other)]).then(
      (both) => {
        if (!aborting.signal.aborted) setFigures(both)
      },
      (error) => {
        if (!aborting.signal.aborted) throw error
      },
    )
    return () => aborting.abort()
  }, [pair, plan, other])
  return figures
}

interface DifferenceProps {
  pair: Pair
  figures: readonly [Measured, Measured] | undefined
  atMs: number
  plan: Plan
}

function Difference({ pair, figures, atMs, plan }: DifferenceProps) {
  const labels = pair.runs.map(({ label }) => label)
  const marks = useMemo(() => marksOf(plan), [plan])
  if (figures === undefined)
    return (
      <p class="difference-wait" role="status">
        Both runs are measured to their end…
      </p>
    )
  const [first, second] = figures
  return (
    <section class="difference" aria-label="The difference">
      <p class="difference-words">{summaryOf(pair.runs[1].label, pair.says, first, second)}</p>
      <Key labels={labels} />
      <div class={`figs figs-${pair.shows.length}`}>
        {pair.shows.map((name) => (
          <PairFigure key={name} name={name} labels={labels} figures={figures} atMs={atMs} marks={marks} />
        ))}
      </div>
      <Numbers labels={labels} figures={figures} says={pair.says} />
    </section>
  )
}

/** When something goes wrong by plan. */
function marksOf({ scenario: { script = [] }, changes }: Plan): Mark[] {
  const faults = [
    ...script,
    ...changes.flatMap(({ atMs, change }) => (change.type === 'fault' ? [{ atMs, fault: change.fault }] : [])),
  ]
  return faults.map(({ atMs, fault }) => {
    const ms = 'forMs' in fault ? fault.forMs : 'restartAfterMs' in fault ? (fault.restartAfterMs ?? 0) : 0
    return { from: atMs, until: atMs + ms, words: `${fault.type}, from ${clockText(atMs)}` }
  })
}

interface PairFigureProps {
  name: SeriesName
  labels: readonly string[]
  figures: readonly [Measured, Measured]
  atMs: number
  marks: readonly Mark[]
}

function PairFigure({ name, labels, figures, atMs, marks }: PairFigureProps) {
  const { title, unit } = SERIES[name]
  const { bucketMs, untilMs } = figures[0]
  const at = Math.max(0, Math.min(figures[0].series[name].length - 1, Math.floor(atMs / bucketMs)))
  const drawn = useMemo(() => figures.map((one) => drawnOf(name, one)), [name, figures])
  const value = (run: number, place: number): number => drawn[run]?.[place] ?? Number.NaN
  const lines = labels.map((label, run) => ({
    label,
    look: run,
    points: (figures[run] as Measured).series[name].map(
      (_, place) => [(place + 0.5) * bucketMs, value(run, place)] as const,
    ),
  }))
  const now = labels.map((label, run) => `${label} ${valueText(value(run, at))}`).join(', ')
  return (
    <Figure
      title={title}
      unit={unit}
      summary={`${title}, ${unit}. At ${clockText(atMs)}: ${now}.`}
      lines={lines}
      isDifference
      marks={marks}
      playhead={atMs}
      x={{ from: 0, until: untilMs, label: 's of world time' }}
      table={{
        head: ['time', ...labels, 'difference'],
        rows: figures[0].series[name].map((_, place) => [
          clockText((place + 1) * bucketMs),
          valueText(value(0, place)),
          valueText(value(1, place)),
          valueText(value(1, place) - value(0, place)),
        ]),
      }}
    >
      <span class="fig-values" aria-hidden="true">
        {labels.map((label, run) => (
          <span key={label} class={`value-of-${run}`}>
            {valueText(value(run, at))}
          </span>
        ))}
      </span>
    </Figure>
  )
}

function Numbers({
  labels,
  figures: [first, second],
  says,
}: {
  labels: readonly string[]
  figures: readonly [Measured, Measured]
  says: readonly TotalName[]
}) {
  const extra = says.filter((name) => !ROWS.includes(name))
  // Without impatient users, every answer is useful.
  const isPatient = [first, second].every(({ totals }) => totals.useful === totals.done)
  const rows = [...ROWS, ...extra]
    .filter((name) => !(isPatient && name === 'useful'))
    .filter((name) => says.includes(name) || first.totals[name] > 0 || second.totals[name] > 0)
  return (
    <div class="numbers-box">
      <h2>In numbers, to the end</h2>
      <table class="totals">
        <thead>
          <tr>
            <th scope="col">
              <span class="visually-hidden">what</span>
            </th>
            {labels.map((label, at) => (
              <th key={label} scope="col" class={`value-of-${at}`}>
                {label}
              </th>
            ))}
            <th scope="col" class="numbers-difference">
              difference
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((name) => (
            <tr key={name}>
              <th scope="row">{TOTALS[name].title}</th>
              <td>{totalText(name, first.totals[name])}</td>
              <td>{totalText(name, second.totals[name])}</td>
              <td class="numbers-difference">{differenceText(name, first.totals[name], second.totals[name])}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** What comes after the scenario's duration is no part of the comparison. */
function lastOf({ untilMs, runs }: Pair): number {
  return Math.min(untilMs, endOf(runs[0].plan))
}
