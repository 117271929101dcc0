import { useCallback, useEffect, useId, useState } from 'preact/hooks'
import { coarseFirst } from './coarse-first.ts'
import { Figure } from './figure.tsx'
import { JobsBar } from './jobs-bar.tsx'
import type { TotalName } from './measured.ts'
import { pool } from './pool.ts'
import { valueText } from './scale.ts'
import { csvOf, type Setting, SWEEP_UNTIL_MS, type SweepAnswer, scenes, settings, spreadOf, valuesOf } from './sweep.ts'
import { useJobs } from './use-jobs.ts'
import { TOTALS, totalText } from './words.ts'

type Scene = (typeof scenes)[number]

interface Question {
  scene: Scene
  setting: Setting
  value: number
  seed: number
}

/** What is being run, or was run last. */
interface Asked {
  scene: Scene
  setting: Setting
  values: readonly number[]
}

const FIGURES: readonly TotalName[] = [
  'usefulShare',
  'useful',
  'p50Ms',
  'p95Ms',
  'p99Ms',
  'waitingMax',
  'givenUp',
  'retries',
]
const COUNTS = [5, 7, 9, 13]
const SEEDS = [3, 5, 10, 20]

async function ask({ scene, setting, value, seed }: Question, signal: AbortSignal): Promise<SweepAnswer> {
  const plan = { scenario: setting.write(scene.scenario, value), seed, changes: [] }
  const { totals } = await pool().do('measure', { plan, untilMs: SWEEP_UNTIL_MS }, signal)
  return { value, seed, totals }
}

/** One setting over many values and seeds. */
export function SweepView() {
  const [scene, setScene] = useState(scenes[0] as Scene)
  const [setting, setSetting] = useState(settings[0] as Setting)
  const [span, setSpan] = useState({ from: setting.from, to: setting.to })
  const [count, setCount] = useState(7)
  const [seeds, setSeeds] = useState(5)
  const [figure, setFigure] = useState<TotalName>('usefulShare')
  const [asked, setAsked] = useState<Asked | undefined>(undefined)
  const [problem, setProblem] = useState('')
  const jobs = useJobs(ask)
  const { start, stop } = jobs
  const run = useCallback(
    (own: Setting, { from, to }: { from: number; to: number }) => {
      try {
        const values = valuesOf(own, from, to, count)
        setAsked({ scene, setting: own, values })
        setProblem('')
        const order = coarseFirst(values)
        start(
          Array.from({ length: seeds }, (_, at) => at + 1).flatMap((seed) =>
            order.map((value) => ({ scene, setting: own, value, seed })),
          ),
        )
      } catch (error) {
        setProblem((error as Error).message)
      }
    },
    [scene, count, seeds, start],
  )
  useEffect(() => {
    run(setting, span)
    return stop
    // A span is asked for by its button, because it is typed digit by digit.
  }, [run, setting])
  return (
    <div class="no-return">
      <form
        class="no-return-text"
        onSubmit={(event) => {
          event.preventDefault()
          run(setting, span)
        }}
      >
        <label class="pick">
          Scene
          <select
            value={scene.name}
            onChange={(event) =>
              setScene(scenes.find(({ name }) => name === event.currentTarget.value) ?? (scenes[0] as Scene))
            }
          >
            {scenes.map(({ name, title }) => (
              <option key={name} value={name}>
                {title}
              </option>
            ))}
          </select>
        </label>
        <p class="small-print">{scene.text}</p>
        <label class="pick">
          Setting
          <select
            value={setting.name}
            onChange={(event) => {
              const next = settings.find(({ name }) => name === event.currentTarget.value) ?? (settings[0] as Setting)
              setSpan({ from: next.from, to: next.to })
              setSetting(next)
            }}
          >
            {settings.map(({ name, title }) => (
              <option key={name} value={name}>
                {title}
              </option>
            ))}
          </select>
        </label>
        <Span setting={setting} span={span} onSpan={setSpan} problem={problem} />
        <Choice label="Values" options={COUNTS} value={count} onValue={setCount} />
        <Choice label="Seeds of each value" options={SEEDS} value={seeds} onValue={setSeeds} />
        <JobsBar progress={jobs} noun="runs" startWords="Run" onStart={() => run(setting, span)} onStop={stop} />
      </form>
      <div class="no-return-figures">
        <label class="pick sweep-figure">
          Show
          <select value={figure} onChange={(event) => setFigure(event.currentTarget.value as TotalName)}>
            {FIGURES.map((name) => (
              <option key={name} value={name}>
                {TOTALS[name].title.toLowerCase()}
              </option>
            ))}
          </select>
        </label>
        {asked !== undefined && <SweepFigure asked={asked} answers={jobs.answers} figure={figure} />}
        {asked !== undefined && jobs.answers.length > 0 && (
          <p class="sweep-actions">
            <button type="button" class="small" onClick={() => save(asked, jobs.answers)}>
              Save all runs as CSV
            </button>
          </p>
        )}
      </div>
    </div>
  )
}

interface SpanProps {
  setting: Setting
  span: { from: number; to: number }
  onSpan: (span: { from: number; to: number }) => void
  problem: string
}

function Span({ setting: { min, max, unit, isWhole }, span, onSpan, problem }: SpanProps) {
  const id = useId()
  const field = (end: 'from' | 'to', words: string) => (
    <label>
      {words}
      <input
        type="number"
        min={min}
        max={max}
        step={isWhole ? 1 : 'any'}
        value={span[end]}
        aria-describedby={id}
        onInput={(event) => onSpan({ ...span, [end]: event.currentTarget.valueAsNumber })}
      />
    </label>
  )
  return (
    <fieldset class="span">
      <legend>Values, in {unit}</legend>
      {field('from', 'from')}
      {field('to', 'to')}
      <p id={id} class="span-problem" role="status">
        {problem}
      </p>
    </fieldset>
  )
}

interface ChoiceProps {
  label: string
  options: readonly number[]
  value: number
  onValue: (value: number) => void
}

function Choice({ label, options, value, onValue }: ChoiceProps) {
  return (
    <label class="pick">
      {label}
      <select value={value} onChange={(event) => onValue(Number(event.currentTarget.value))}>
        {options.map((option) => (
          <option key={option} value={option}>
            {option}
          </option>
        ))}
      </select>
    </label>
  )
}

interface SweepFigureProps {
  asked: Asked
  answers: readonly SweepAnswer[]
  figure: TotalName
}

function SweepFigure({ asked: { setting, values }, answers, figure }: SweepFigureProps) {
  const spread = spreadOf(values, answers, figure)
  const known = spread.flatMap((one, at) => (one.count > 0 ? [{ ...one, at }] : []))
  const { kind, title } = TOTALS[figure]
  // Times are drawn in seconds.
  const drawn = (value: number): number => (kind === 'time' ? value / 1000 : value)
  const unit = kind === 'time' ? 's' : kind === 'share' ? 'share' : 'in 30 s'
  const [first, last] = [known[0], known.at(-1)]
  const words =
    first === undefined || last === undefined
      ? 'The first runs are under way…'
      : `${sentenceOf(first.value)}, and ${totalText(figure, last.median)} at ${valueText(last.value)}.`
  function sentenceOf(value: number): string {
    return `${title}: ${totalText(figure, first?.median ?? Number.NaN)} at ${valueText(value)} ${setting.unit}`
  }
  return (
    <>
      <p class="sweep-words" aria-live="polite">
        {words}
      </p>
      <Figure
        title={title}
        unit={`${unit}, over the ${setting.title}`}
        summary={words}
        height={330}
        yMax={kind === 'share' ? 1 : 0}
        yText={kind === 'share' ? (value) => `${Math.round(value * 100)} %` : valueText}
        hasDots
        x={{
          from: 0,
          until: values.length - 1,
          label: setting.unit,
          ticks: values.map((_, at) => at),
          text: (at) => valueText(values[at] ?? Number.NaN),
        }}
        lines={[
          {
            label: 'median',
            look: 0,
            points: known.map(({ at, median }) => [at, drawn(median)] as const),
            band: known.map(({ at, p10, p90 }) => ({ x: at, low: drawn(p10), high: drawn(p90) })),
          },
        ]}
        table={{
          head: [setting.unit, 'median', 'p10', 'p90', 'runs'],
          rows: spread.map(({ value, median, p10, p90, count }) => [
            valueText(value),
            ...[median, p10, p90].map((one) => totalText(figure, one)),
            String(count),
          ]),
        }}
      />
    </>
  )
}

function save({ setting }: Asked, answers: readonly SweepAnswer[]): void {
  const url = URL.createObjectURL(new Blob([csvOf(setting, answers)], { type: 'text/csv' }))
  const link = document.createElement('a')
  link.href = url
  link.download = `sweep-${setting.name}.csv`
  link.click()
  URL.revokeObjectURL(url)
}
