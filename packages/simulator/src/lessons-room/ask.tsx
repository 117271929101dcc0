import { useId, useState } from 'preact/hooks'
import type { Choice, Figures, Prediction } from '../lessons/lesson.ts'

interface AskProps {
  /** What the button says. */
  words: string
  onAnswer: (answer: number) => void
}

/** Asks for a number or for one of some options. */
export function AskPrediction({ prediction, ...props }: AskProps & { prediction: Prediction }) {
  return prediction.kind === 'number' ? (
    <AskNumber prediction={prediction} {...props} />
  ) : (
    <AskChoice choice={prediction} {...props} />
  )
}

function AskNumber({
  prediction: { question, unit, min, max, step },
  words,
  onAnswer,
}: AskProps & { prediction: Extract<Prediction, { kind: 'number' }> }) {
  const [guess, setGuess] = useState(min)
  const [isMoved, setMoved] = useState(false)
  const id = useId()
  return (
    <form
      class="ask"
      onSubmit={(event) => {
        event.preventDefault()
        onAnswer(guess)
      }}
    >
      <label class="question" for={id}>
        {question}
      </label>
      <div class="ask-number">
        <input
          id={id}
          type="range"
          min={min}
          max={max}
          step={step}
          value={guess}
          aria-valuetext={`${guess} ${unit}`}
          onInput={(event) => {
            setMoved(true)
            setGuess(event.currentTarget.valueAsNumber)
          }}
        />
        <output for={id}>
          {isMoved ? guess.toLocaleString('en') : '?'} <small>{unit}</small>
        </output>
      </div>
      <button type="submit" class="solid" disabled={!isMoved}>
        {words}
      </button>
    </form>
  )
}

export function AskChoice({ choice, words, onAnswer }: AskProps & { choice: Choice }) {
  const [chosen, setChosen] = useState<number | undefined>(undefined)
  const name = useId()
  return (
    <form
      class="ask"
      onSubmit={(event) => {
        event.preventDefault()
        if (chosen !== undefined) onAnswer(chosen)
      }}
    >
      <fieldset>
        <legend class="question">{choice.question}</legend>
        {choice.options.map(({ text }, at) => (
          <label key={text} class="option">
            <input type="radio" name={name} checked={chosen === at} onChange={() => setChosen(at)} />
            <span>{text}</span>
          </label>
        ))}
      </fieldset>
      <button type="submit" class="solid" disabled={chosen === undefined}>
        {words}
      </button>
    </form>
  )
}

/** The guess beside the outcome. */
export function Outcome({
  prediction,
  guess,
  figures,
}: {
  prediction: Prediction
  guess: number
  figures: readonly Figures[]
}) {
  const outcome = prediction.outcome(figures)
  if (prediction.kind === 'choice') return <ChoiceOutcome choice={prediction} guess={guess} outcome={outcome} />
  const { min, max, unit, question } = prediction
  const place = (value: number) => `${Math.max(0, Math.min(100, ((value - min) / (max - min)) * 100))}%`
  const shown = roundedFor(outcome, max)
  return (
    <div class="outcome">
      <p class="question">{question}</p>
      <p class="outcome-words">
        You guessed <b class="is-guess">{guess.toLocaleString('en')}</b>. It was{' '}
        <b class="is-outcome">
          {shown.toLocaleString('en')} {unit}
        </b>
        .
      </p>
      <div class="outcome-line" aria-hidden="true">
        <span class="outcome-span" style={spanOf(place(guess), place(outcome))} />
        <span class="outcome-mark mark-guess" style={{ left: place(guess) }} title="your guess" />
        <span class="outcome-mark mark-outcome" style={{ left: place(outcome) }} title="what happened" />
      </div>
    </div>
  )
}

function spanOf(a: string, b: string): Record<string, string> {
  const [low = 0, high = 0] = [Number.parseFloat(a), Number.parseFloat(b)].sort((x, y) => x - y)
  return { left: `${low}%`, width: `${high - low}%` }
}

function roundedFor(value: number, max: number): number {
  if (max <= 20) return Number(value.toFixed(1))
  return max >= 2000 ? Number(value.toPrecision(3)) : Math.round(value)
}

export function ChoiceOutcome({ choice, guess, outcome }: { choice: Choice; guess: number; outcome: number }) {
  const isRight = guess === outcome
  return (
    <div class="outcome">
      <p class="question">{choice.question}</p>
      <ul class="answers">
        {[...new Set([guess, outcome])].map((at) => {
          const option = choice.options[at]
          if (option === undefined) return null
          return (
            <li key={at} class={at === outcome ? 'is-right' : 'is-wrong'}>
              <p class="answer-text">
                <span class="answer-mark" aria-hidden="true">
                  {at === outcome ? '✓' : '✕'}
                </span>
                {at === guess && !isRight ? 'You said: ' : ''}
                {option.text}
              </p>
              <p>{option.answer}</p>
            </li>
          )
        })}
      </ul>
    </div>
  )
}

/** How far a guess was from the outcome, from 0 to 1. */
export function errorOf(prediction: Prediction, guess: number, outcome: number): number {
  if (prediction.kind === 'choice') return guess === outcome ? 0 : 1
  return Math.min(1, Math.abs(guess - outcome) / (prediction.max - prediction.min))
}
