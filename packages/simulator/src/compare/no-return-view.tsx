import { useCallback, useEffect, useState } from 'preact/hooks'
import { clockText } from '../ui/time.ts'
import { Figure } from './figure.tsx'
import { JobsBar } from './jobs-bar.tsx'
import type { Measured } from './measured.ts'
import {
  type Case,
  cases,
  noReturnOf,
  type Question,
  questionsOf,
  REMEDIES,
  type Remedy,
  type Share,
  sharesOf,
} from './no-return.ts'
import { pool } from './pool.ts'
import { smooth, valueText } from './scale.ts'
import { useJobs } from './use-jobs.ts'

/** Fewer futures than this leave almost everything open. */
const BAND_MIN = 4

type Answer = Question & { recovers: boolean }

const SEEDS = [4, 8, 16, 32]

function secondsText(ms: number): string {
  return `${valueText(ms / 1000)} s`
}

/** Which futures an instant has: the share of them that recovers, above the line of the run itself. */
export function NoReturnView() {
  const own = cases[0] as Case
  const [remedy, setRemedy] = useState<Remedy>('none')
  const [seeds, setSeeds] = useState(8)
  const { instants } = own
  const jobs = useJobs(
    useCallback(
      async (question: Question, signal: AbortSignal): Promise<Answer> => {
        const { recovers } = await pool().do('fork', { case: own.name, remedy, ...question }, signal)
        return { ...question, recovers }
      },
      [own, remedy],
    ),
  )
  const { start, stop } = jobs
  // It is asked before the futures, because it is seen below all of them.
  const base = useBase(own)
  useEffect(() => {
    start(questionsOf(own, seeds))
    return stop
  }, [own, seeds, start, stop])
  const shares = own.variants.map((_, variant) => sharesOf(instants, variant, jobs.answers))
  const { fromMs, untilMs } = own.trigger
  const noReturn = noReturnOf(shares[0] ?? [])
  const x = { from: 0, until: own.drawnUntilMs, label: 's of world time' }
  const trigger = { from: fromMs, until: untilMs, words: own.trigger.words }
  return (
    <div class="no-return">
      <section class="no-return-text">
        <h2>{own.title}</h2>
        {own.text.map((paragraph) => (
          <p key={paragraph}>{paragraph}</p>
        ))}
        <p>
          Choose an instant of this run. Up to it, everything happened as it did. From then on chance is another one,
          and the cause stops. How many of these futures recover?
        </p>
        <fieldset class="choices">
          <legend>At the instant</legend>
          {REMEDIES.map(({ remedy: one, words }) => (
            <label key={one}>
              <input type="radio" name="remedy" checked={remedy === one} onChange={() => setRemedy(one)} />
              {words}
            </label>
          ))}
        </fieldset>
        <label class="pick">
          Futures of each instant
          <select value={seeds} onChange={(event) => setSeeds(Number(event.currentTarget.value))}>
            {SEEDS.map((count) => (
              <option key={count} value={count}>
                {count}
              </option>
            ))}
          </select>
        </label>
        <JobsBar
          progress={jobs}
          noun="futures"
          startWords="Ask again"
          onStart={() => start(questionsOf(own, seeds))}
          onStop={stop}
        />
        <p class="small-print">{own.recovery} Each future is a run of the real queue, on this machine.</p>
      </section>
      <div class="no-return-figures">
        <ul class="findings" aria-live="polite">
          {own.variants.map(({ label }, variant) => (
            <li key={label}>
              <b class={`value-of-${variant}`}>{label}</b>: {findingOf(shares[variant] as Share[])}
            </li>
          ))}
        </ul>
        <Figure
          title="Futures that recover"
          unit="share of those from this instant, with what so few leave open"
          summary={own.variants.map(({ label }, at) => `${label}: ${findingOf(shares[at] as Share[])}`).join(' ')}
          height={270}
          yMax={1}
          yText={(value) => `${Math.round(value * 100)} %`}
          hasDots
          hasNames
          marks={[trigger]}
          notes={noReturn === undefined ? [] : [{ x: noReturn.lostFromMs, words: 'point of no return' }]}
          x={x}
          lines={own.variants.map(({ label }, at) => ({
            label,
            look: at,
            points: (shares[at] as Share[])
              .filter(({ asked }) => asked > 0)
              .map(({ atMs, share }) => [atMs, share] as const),
            band: (shares[at] as Share[])
              .filter(({ asked }) => asked >= BAND_MIN)
              .map(({ atMs, low, high }) => ({ x: atMs, low, high })),
          }))}
          table={{
            head: ['instant', ...own.variants.map(({ label }) => label)],
            rows: instants.map((atMs, at) => [
              clockText(atMs),
              ...shares.map((one) => {
                const { recovered, asked } = one[at] as Share
                return asked === 0 ? '–' : `${recovered} of ${asked}`
              }),
            ]),
          }}
        />
        <p class="trigger-words">
          <span class="trigger-mark" aria-hidden="true" /> {own.trigger.words}, from {secondsText(fromMs)} to{' '}
          {secondsText(untilMs)}, unless it is stopped
        </p>
        {base !== undefined && <BaseLine own={own} base={base} x={x} trigger={trigger} />}
      </div>
    </div>
  )
}

function findingOf(shares: readonly Share[]): string {
  if (shares.some(({ asked }) => asked === 0)) return 'still asking…'
  const found = noReturnOf(shares)
  const least = Math.min(...shares.map(({ asked }) => asked))
  const soFar = least < BAND_MIN ? `so far, with ${least} of each instant, ` : ''
  return soFar + judgementOf(found, shares)
}

function judgementOf(found: ReturnType<typeof noReturnOf>, shares: readonly Share[]): string {
  if (found === undefined) {
    const least = Math.min(...shares.map(({ share }) => share))
    return least >= 0.95
      ? 'it recovers from every instant.'
      : `from the worst instant, ${Math.round(least * 100)} % recover.`
  }
  return `until ${secondsText(found.openUntilMs)} most futures recover. From ${secondsText(found.lostFromMs)} on, collapse is inevitable.`
}

/** The runs that nobody touches. */
function useBase(own: Case): readonly Measured[] | undefined {
  const [base, setBase] = useState<readonly Measured[] | undefined>(undefined)
  useEffect(() => {
    const aborting = new AbortController()
    const { seed, variants, drawnUntilMs } = own
    const orders = variants.map(({ scenario }) =>
      pool().do('measure', { plan: { scenario, seed, changes: [] }, untilMs: drawnUntilMs }, aborting.signal),
    )
    Promise.all(orders).then(setBase, () => {})
    return () => aborting.abort()
  }, [own])
  return base
}

interface BaseLineProps {
  own: Case
  base: readonly Measured[]
  x: { from: number; until: number; label: string }
  trigger: { from: number; until: number; words: string }
}

function BaseLine({ own, base, x, trigger }: BaseLineProps) {
  const [first] = base
  if (first === undefined) return null
  const { bucketMs } = first
  return (
    <Figure
      title="The run that nobody touches"
      unit="useful answers a second"
      summary="Useful answers a second of each variant over time. The numbers are in the table."
      height={170}
      hasNames
      marks={[trigger]}
      x={x}
      lines={own.variants.map(({ label }, at) => ({
        label,
        look: at,
        points: smooth((base[at] as Measured).series.useful, Math.round(1000 / bucketMs)).map(
          (value, place) => [(place + 1) * bucketMs, value] as const,
        ),
      }))}
      table={{
        head: ['time', ...own.variants.map(({ label }) => label)],
        rows: first.series.useful.map((_, place) => [
          clockText((place + 1) * bucketMs),
          ...base.map(({ series }) => valueText(series.useful[place] ?? Number.NaN)),
        ]),
      }}
    />
  )
}
