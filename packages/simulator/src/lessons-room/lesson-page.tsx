import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import { lessons } from '../lessons/index.ts'
import type { Figures, Lesson, Prediction } from '../lessons/lesson.ts'
import { ruleHref } from '../view/rule-link.ts'
import { AskChoice, AskPrediction, ChoiceOutcome, errorOf, Outcome } from './ask.tsx'
import { LessonRuns } from './lesson-runs.tsx'
import { Measurer } from './measure.ts'
import { noteProgress } from './progress.ts'

/** One after the other. What was answered stays to be read; what comes is not shown before. */
const STEPS = [
  'predict',
  'run',
  'observe',
  'explain',
  'changePredict',
  'changeRun',
  'changeExplain',
  'transfer',
  'end',
] as const

type Step = (typeof STEPS)[number]

interface Answers {
  predict?: number
  observe?: number
  change?: number
  transfer?: number
}

const NAMES: Readonly<Record<Step, string>> = {
  predict: 'Guess',
  run: 'Watch',
  observe: 'Say what happened',
  explain: 'Why',
  changePredict: 'Change it',
  changeRun: 'Watch again',
  changeExplain: 'Why',
  transfer: 'Somewhere else',
  end: 'Done',
}

export function LessonPage({ lesson }: { lesson: Lesson }) {
  const [step, setStep] = useState<Step>('predict')
  const [answers, setAnswers] = useState<Answers>({})
  const measured = useMeasured(lesson)
  const at = STEPS.indexOf(step)
  const isBefore = (other: Step) => at < STEPS.indexOf(other)
  const next = useCallback(
    () => setStep((now) => STEPS[Math.min(STEPS.indexOf(now) + 1, STEPS.length - 1)] as Step),
    [],
  )
  const answer = (name: keyof Answers, value: number) => {
    setAnswers((before) => ({ ...before, [name]: value }))
    next()
  }
  const { predict, observe, change, transfer } = lesson
  const isChanged = !isBefore('changePredict')
  useEffect(() => {
    if (step !== 'end') return
    const note = (prediction: Prediction, guess: number | undefined, figures: readonly Figures[] | undefined) => {
      if (guess === undefined || figures === undefined) return undefined
      const outcome = prediction.outcome(figures)
      return { guess, outcome, error: errorOf(prediction, guess, outcome) }
    }
    const before = note(predict, answers.predict, measured.runs)
    const after = note(change.predict, answers.change, measured.change)
    noteProgress(lesson.name, {
      ...(before === undefined ? {} : { before }),
      ...(after === undefined ? {} : { after }),
      doneAt: new Date().toISOString(),
    })
  }, [step, lesson, predict, change, answers, measured])
  const onEnd = useCallback(() => {
    setStep((now) => (now === 'run' ? 'observe' : now === 'changeRun' ? 'changeExplain' : now))
  }, [])
  return (
    <main class="room lesson">
      <header class="lesson-head">
        <p class="lesson-number">
          <a href="#/lessons">Lessons</a> · {lessons.indexOf(lesson) + 1} of {lessons.length}
        </p>
        <h1>{lesson.title}</h1>
        <ol class="steps" aria-label="Where you are">
          {(['predict', 'run', 'observe', 'explain', 'changePredict', 'transfer'] as const).map((name) => (
            <li
              key={name}
              aria-current={stageOf(step) === name ? 'step' : undefined}
              class={isBefore(name) ? '' : 'is-past'}
            >
              {NAMES[name]}
            </li>
          ))}
        </ol>
      </header>
      <div
        class={`lesson-columns ${step === 'run' || step === 'changeRun' || step === 'observe' ? 'is-watching' : ''}`}
      >
        <LessonRuns
          key={isChanged ? 'change' : 'runs'}
          lesson={lesson}
          runs={isChanged ? change.runs : lesson.runs}
          isLocked={step === 'predict' || step === 'changePredict'}
          onEnd={onEnd}
        />
        <div class="prompts">
          {isBefore('explain') && <Paragraphs texts={lesson.problem} />}
          {step === 'predict' && (
            <Prompt key="predict">
              <AskPrediction
                prediction={predict}
                words="That is my guess: run it"
                onAnswer={(value) => answer('predict', value)}
              />
            </Prompt>
          )}
          {step === 'run' && <Watching prediction={predict} guess={answers.predict ?? 0} />}
          {step === 'observe' && (
            <Prompt key="observe">
              <AskChoice choice={observe} words="That is what I saw" onAnswer={(value) => answer('observe', value)} />
            </Prompt>
          )}
          {step === 'explain' && measured.runs !== undefined && (
            <Prompt key="explain">
              <Outcome prediction={predict} guess={answers.predict ?? 0} figures={measured.runs} />
              <ChoiceOutcome choice={observe} guess={answers.observe ?? 0} outcome={observe.outcome(measured.runs)} />
              <h2>Why</h2>
              <Paragraphs texts={lesson.explain} />
              <button type="button" class="solid" onClick={next}>
                Now change one thing
              </button>
            </Prompt>
          )}
          {step === 'changePredict' && (
            <Prompt key="changePredict">
              <Paragraphs texts={change.prompt} />
              <AskPrediction
                prediction={change.predict}
                words="That is my guess: run it"
                onAnswer={(value) => answer('change', value)}
              />
            </Prompt>
          )}
          {step === 'changeRun' && <Watching prediction={change.predict} guess={answers.change ?? 0} />}
          {step === 'changeExplain' && measured.change !== undefined && (
            <Prompt key="changeExplain">
              <Outcome prediction={change.predict} guess={answers.change ?? 0} figures={measured.change} />
              <Paragraphs texts={change.explain} />
              <button type="button" class="solid" onClick={next}>
                And somewhere else?
              </button>
            </Prompt>
          )}
          {step === 'transfer' && (
            <Prompt key="transfer">
              <AskChoice choice={transfer} words="Check it" onAnswer={(value) => answer('transfer', value)} />
            </Prompt>
          )}
          {step === 'end' && (
            <Prompt key="end">
              <ChoiceOutcome choice={transfer} guess={answers.transfer ?? 0} outcome={transfer.outcome([])} />
              <p class="claim">{lesson.claim.text}</p>
              <NextLesson lesson={lesson} />
              <details>
                <summary>What this does not show</summary>
                <Paragraphs texts={lesson.notModelled} />
              </details>
              <p class="rules">
                The rules behind it:{' '}
                {lesson.rules.map((rule) => (
                  <a key={rule} class="rule" href={ruleHref(rule)} target="_blank" rel="noreferrer">
                    {rule}
                  </a>
                ))}
                . The claim is tested with 100 seeds.
              </p>
            </Prompt>
          )}
          {measured.error !== undefined && (
            <p class="trouble" role="alert">
              The runs could not be measured: {measured.error}. Reload the page to try again.
            </p>
          )}
        </div>
      </div>
    </main>
  )
}

/** The step as the line of steps shows it. */
function stageOf(step: Step): Step {
  switch (step) {
    case 'changeRun':
    case 'changeExplain':
      return 'changePredict'
    case 'end':
      return 'transfer'
    default:
      return step
  }
}

/** One prompt at a time: it takes the focus, so that a reader with the keyboard or a screen reader is there. */
function Prompt({ children, isWatching = false }: { children: preact.ComponentChildren; isWatching?: boolean }) {
  const box = useRef<HTMLDivElement>(null)
  useLayoutEffect(() => {
    box.current?.focus({ preventScroll: true })
    // On a small screen the run is above its words.
    const seen = isWatching ? document.querySelector('.lesson-columns') : box.current
    const top = seen?.getBoundingClientRect().top ?? 0
    // A long prompt is read from its beginning.
    if (top < 0 || top > innerHeight * 0.6) seen?.scrollIntoView({ block: 'start' })
  }, [isWatching])
  return (
    <section class="prompt" ref={box} tabIndex={-1} aria-label="The next step">
      {children}
    </section>
  )
}

function Watching({ prediction, guess }: { prediction: Prediction; guess: number }) {
  const words =
    prediction.kind === 'number'
      ? `${guess.toLocaleString('en')} ${prediction.unit}`
      : (prediction.options[guess]?.text ?? '')
  return (
    <Prompt isWatching>
      <p class="question">{prediction.question}</p>
      <p>
        Your guess: <b class="is-guess">{words}</b>
      </p>
      <p>Watch the run. You can stop it, and go back and forth. Then say what happened.</p>
    </Prompt>
  )
}

function Paragraphs({ texts }: { texts: readonly string[] }) {
  return (
    <>
      {texts.map((text) => (
        <p key={text}>{text}</p>
      ))}
    </>
  )
}

function NextLesson({ lesson }: { lesson: Lesson }) {
  const following = lessons[lessons.findIndex(({ name }) => name === lesson.name) + 1]
  return (
    <p class="lesson-next">
      {following !== undefined && (
        <a class="solid" href={`#/lessons/${following.name}`}>
          Next: {following.title}
        </a>
      )}
      <a class="outline" href="#/lessons">
        All lessons
      </a>
    </p>
  )
}

interface Measured {
  runs: readonly Figures[] | undefined
  change: readonly Figures[] | undefined
  error: string | undefined
}

/** The figures are taken while the reader thinks. */
function useMeasured(lesson: Lesson): Measured {
  const [measured, setMeasured] = useState<Measured>({ runs: undefined, change: undefined, error: undefined })
  const measurer = useMemo(() => new Measurer(), [])
  useEffect(() => {
    const failed = (error: Error) => setMeasured((before) => ({ ...before, error: error.message }))
    measurer.measure(lesson.name, 'runs').then((runs) => setMeasured((before) => ({ ...before, runs })), failed)
    measurer.measure(lesson.name, 'change').then((change) => setMeasured((before) => ({ ...before, change })), failed)
    return () => measurer.end()
  }, [lesson, measurer])
  return measured
}
