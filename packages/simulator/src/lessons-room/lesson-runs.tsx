import { useCallback, useEffect, useMemo, useState } from 'preact/hooks'
import type { Lesson, LessonRun } from '../lessons/lesson.ts'
import { pairedEngine } from '../player/paired-engine.ts'
import { endOf, Player } from '../player/player.ts'
import { useFrames } from '../player/use-frames.ts'
import { Stage } from '../stage/stage.tsx'
import { Legend } from '../ui/legend.tsx'
import { clockText } from '../ui/time.ts'

interface LessonRunsProps {
  lesson: Lesson
  runs: readonly LessonRun[]
  /** Before the reader has guessed, only the first moment is shown. */
  isLocked: boolean
  /** Called once, when the end has been shown or the reader goes there. */
  onEnd: () => void
}

/** The runs of a lesson, side by side where there are two. */
export function LessonRuns({ lesson, runs, isLocked, onEnd }: LessonRunsProps) {
  const { player, paired } = useMemo(() => playerOf(lesson, runs), [lesson, runs])
  const [hasEnded, setEnded] = useState(false)
  useEffect(() => () => player.end(), [player])
  useEffect(() => {
    if (isLocked) return
    setEnded(false)
    player.play()
  }, [player, isLocked])
  useFrames(useCallback((ms: number) => player.frame(ms), [player]))
  const untilMs = player.untilMs.value
  const isOver = !isLocked && player.atMs.value >= untilMs
  useEffect(() => {
    if (!isOver || hasEnded) return
    setEnded(true)
    onEnd()
  }, [isOver, hasEnded, onEnd])
  const shown = player.shown.value
  const stages = [shown?.stage, shown && paired?.beside(shown)?.stage]
  return (
    <div class={`lesson-runs runs-${runs.length}`}>
      {runs.map(({ label }, at) => {
        const stage = stages[at]
        return (
          <figure key={label} class="lesson-run">
            {runs.length > 1 && <figcaption>{label}</figcaption>}
            {stage === undefined ? (
              <p class="stage-wait">The world starts…</p>
            ) : (
              <Stage stage={stage} selected={undefined} label={`The run: ${label}`} />
            )}
          </figure>
        )
      })}
      <Legend />
      <div class="lesson-time">
        <button
          type="button"
          class="round primary"
          disabled={isLocked}
          aria-label={player.isPlaying.value ? 'Stop' : 'Play'}
          onClick={() => player.toggle()}
        >
          <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
            <path d={player.isPlaying.value ? 'M5 3v10M11 3v10' : 'M5 3l8 5-8 5z'} />
          </svg>
        </button>
        <input
          type="range"
          aria-label="The instant that is shown"
          aria-valuetext={clockText(player.atMs.value)}
          disabled={isLocked}
          min={0}
          max={untilMs}
          step={50}
          value={player.atMs.value}
          onInput={(event) => {
            player.pause()
            player.seek(event.currentTarget.valueAsNumber)
          }}
        />
        <output>{clockText(player.atMs.value)}</output>
        {!isLocked && !hasEnded && (
          <button
            type="button"
            class="quiet"
            onClick={() => {
              player.pause()
              player.seek(untilMs)
            }}
          >
            To the end
          </button>
        )}
      </div>
    </div>
  )
}

/** One run, or two that are always shown at the same instant. */
function playerOf({ seed, untilMs, speed }: Lesson, runs: readonly LessonRun[]) {
  const [plan, other] = runs.map(({ scenario, changes = [] }) => ({ scenario, seed, changes }))
  if (plan === undefined) throw new RangeError('a lesson has a run')
  const paired = other && pairedEngine(other)
  // What comes after the scenario's duration is no part of the lesson.
  const endMs = Math.min(untilMs, endOf(plan))
  const player = new Player(plan, { untilMs: endMs, speed, ...(paired === undefined ? {} : { engine: paired }) })
  return { player, paired }
}
