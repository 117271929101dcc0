import { useCallback, useEffect, useId, useMemo, useState } from 'preact/hooks'
import { costOf, scenarioWith, startOf } from '../challenges/attempt.ts'
import type { Challenge, Knob } from '../challenges/challenge.ts'
import { JobsBar } from '../compare/jobs-bar.tsx'
import { pool } from '../compare/pool.ts'
import { valueText } from '../compare/scale.ts'
import { useJobs } from '../compare/use-jobs.ts'
import type { Figures } from '../lessons/lesson.ts'
import { handOver } from '../player/hand-over.ts'
import { challengeHash, valuesIn } from './challenge-link.ts'
import { noteSolved, solved } from './solved.ts'

interface Question {
  values: readonly number[]
  seed: number
}

type Result = Question & { figures: Figures }

/** One challenge: turn the knobs, run it, and see which goals are reached. */
export function ChallengePage({ challenge }: { challenge: Challenge }) {
  const shared = useMemo(() => valuesIn(location.hash, challenge), [challenge])
  const [values, setValues] = useState<readonly number[]>(shared ?? startOf(challenge))
  /** What the results are of. */
  const [tried, setTried] = useState<readonly number[] | undefined>(undefined)
  const jobs = useJobs(
    useCallback(
      async ({ values: own, seed }: Question, signal: AbortSignal): Promise<Result> => ({
        values: own,
        seed,
        figures: await pool().do('challenge', { name: challenge.name, values: own, seed }, signal),
      }),
      [challenge],
    ),
  )
  const { start, stop, answers, state } = jobs
  const cost = costOf(challenge, values)
  const isTooMuch = cost > challenge.budget
  const run = (own: readonly number[]) => {
    if (costOf(challenge, own) > challenge.budget) return
    setTried(own)
    // The address is the result, to be sent to somebody.
    history.replaceState(null, '', challengeHash(challenge, own))
    start(challenge.seeds.map((seed) => ({ values: own, seed })))
  }
  useEffect(() => {
    if (shared !== undefined) run(shared)
  }, [])
  const isDone = state === 'done'
  const isSolved = isDone && challenge.goals.every((goal) => answers.every(({ figures }) => goal.holds(figures)))
  useEffect(() => {
    if (isSolved) noteSolved(challenge.name)
  }, [isSolved, challenge])
  const isStale = tried !== undefined && tried.join() !== values.join()
  return (
    <article class="challenge">
      <header>
        <p class="challenge-back">
          <a href="#/challenges">All challenges</a>
        </p>
        <h1>{challenge.title}</h1>
        {challenge.text.map((paragraph) => (
          <p key={paragraph}>{paragraph}</p>
        ))}
      </header>
      <div class="challenge-columns">
        <form
          class="challenge-knobs"
          onSubmit={(event) => {
            event.preventDefault()
            run(values)
          }}
        >
          <h2>Your knobs</h2>
          {challenge.knobs.map((knob, at) => (
            <KnobField
              key={knob.label}
              knob={knob}
              value={values[at] ?? knob.min}
              onValue={(value) => setValues(values.map((one, place) => (place === at ? value : one)))}
            />
          ))}
          {challenge.knobs.some((knob) => knob.cost > 0) && <Budget cost={cost} budget={challenge.budget} />}
          {isTooMuch ? (
            <p class="too-much" role="status">
              That is {valueText(cost - challenge.budget)} more than you have.
            </p>
          ) : (
            <JobsBar
              progress={jobs}
              noun="runs"
              startWords={`Run with ${challenge.seeds.length} seeds`}
              onStart={() => run(values)}
              onStop={stop}
            />
          )}
          <p class="challenge-actions">
            <button
              type="button"
              class="small"
              onClick={() => {
                const failed = answers.find(({ figures }) => challenge.goals.some((goal) => !goal.holds(figures)))
                const seed = failed?.seed ?? challenge.seeds[0] ?? 1
                handOver({ scenario: scenarioWith(challenge, values), seed, changes: [] })
                location.hash = '#/'
              }}
            >
              Watch it
            </button>
            <CopyLink hash={challengeHash(challenge, values)} />
          </p>
        </form>
        <section class="challenge-goals" aria-label="Goals">
          <h2>Goals</h2>
          <ul>
            {challenge.goals.map((goal) => (
              <GoalItem key={goal.text} challenge={challenge} goal={goal} answers={isStale ? [] : answers} />
            ))}
          </ul>
          <p class="challenge-verdict" role="status">
            {isStale && 'You have turned a knob. Run it again.'}
            {!isStale && isSolved && 'Solved, with every seed. Send the link to somebody who says it cannot be done.'}
            {!isStale && isDone && !isSolved && 'Not yet. Look at the seeds that failed.'}
            {state === 'idle' &&
              (solved.value.includes(challenge.name) ? 'You have solved this before.' : 'Nothing was run yet.')}
          </p>
          {answers.length > 0 && <Results challenge={challenge} answers={answers} />}
        </section>
      </div>
    </article>
  )
}

interface KnobFieldProps {
  knob: Knob
  value: number
  onValue: (value: number) => void
}

function KnobField({ knob: { label, unit, min, max, step, cost }, value, onValue }: KnobFieldProps) {
  const id = useId()
  const take = (input: HTMLInputElement) => {
    const next = input.valueAsNumber
    if (Number.isNaN(next)) return
    onValue(Math.max(min, Math.min(max, min + Math.round((next - min) / step) * step)))
  }
  return (
    <div class="knob">
      <label for={id}>
        {label} <span class="knob-unit">{cost > 0 ? `${cost} each` : unit}</span>
      </label>
      <input
        id={id}
        type="range"
        min={min}
        max={max}
        step={step}
        value={value}
        aria-valuetext={`${value} ${unit}`}
        onInput={(event) => take(event.currentTarget)}
      />
      <input
        type="number"
        aria-label={`${label}, in ${unit}`}
        min={min}
        max={max}
        step={step}
        value={value}
        onChange={(event) => {
          take(event.currentTarget)
          event.currentTarget.value = String(value)
        }}
      />
    </div>
  )
}

function Budget({ cost, budget }: { cost: number; budget: number }) {
  const share = budget === 0 ? 1 : cost / budget
  return (
    <div class={`budget ${share > 1 ? 'is-over' : ''}`}>
      <span>
        Budget: <b>{valueText(cost)}</b> of {valueText(budget)}
      </span>
      <span class="budget-bar" aria-hidden="true">
        <span style={{ width: `${Math.min(1, share) * 100}%` }} />
      </span>
    </div>
  )
}

interface GoalItemProps {
  challenge: Challenge
  goal: Challenge['goals'][number]
  answers: readonly Result[]
}

function GoalItem({ challenge, goal, answers }: GoalItemProps) {
  const missed = answers.filter(({ figures }) => !goal.holds(figures)).length
  const isWhole = answers.length === challenge.seeds.length
  const state = missed > 0 ? 'missed' : isWhole ? 'reached' : 'open'
  const words = {
    missed: `missed with ${missed} of ${answers.length} ${answers.length === 1 ? 'seed' : 'seeds'}`,
    reached: 'reached with every seed',
    open: answers.length === 0 ? '' : `reached so far`,
  }[state]
  return (
    <li class={`goal goal-${state}`}>
      <svg viewBox="0 0 20 20" width="22" height="22" aria-hidden="true">
        <circle cx="10" cy="10" r="8.5" />
        {state === 'reached' && <path d="M6 10.5l3 3 5.5-6.5" />}
        {state === 'missed' && <path d="M6.5 6.5l7 7M13.5 6.5l-7 7" />}
      </svg>
      <span>
        {goal.text}
        {words !== '' && <span class="goal-words">{words}</span>}
      </span>
    </li>
  )
}

function Results({ challenge: { figures, goals }, answers }: { challenge: Challenge; answers: readonly Result[] }) {
  const names = Object.keys(figures)
  const rows = answers.toSorted((a, b) => a.seed - b.seed)
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    <section class="table-scroll" aria-label="Results by seed" tabIndex={0}>
      <table class="results">
        <thead>
          <tr>
            <th scope="col">seed</th>
            {names.map((name) => (
              <th key={name} scope="col">
                {figures[name]}
              </th>
            ))}
            <th scope="col">goals</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ seed, figures: own }) => {
            const reached = goals.filter((goal) => goal.holds(own)).length
            return (
              <tr key={seed}>
                <th scope="row">{seed}</th>
                {names.map((name) => (
                  <td key={name}>{valueText(own[name] ?? Number.NaN)}</td>
                ))}
                <td class={reached === goals.length ? 'is-reached' : 'is-missed'}>
                  {reached} of {goals.length}
                </td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </section>
  )
}

function CopyLink({ hash }: { hash: string }) {
  const [words, setWords] = useState('Copy a link to this')
  useEffect(() => setWords('Copy a link to this'), [hash])
  return (
    <button
      type="button"
      class="small"
      onClick={() => {
        const url = new URL(hash, location.href).href
        navigator.clipboard?.writeText(url).then(
          () => setWords('Copied'),
          () => setWords('The address of this page is the link'),
        )
      }}
    >
      {words}
    </button>
  )
}
