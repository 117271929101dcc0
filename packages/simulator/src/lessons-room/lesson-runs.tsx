import { useCallback, useEffect, useMemo, useState } from 'preact/hooks'
import type { Lesson, LessonRun } from '../lessons/lesson.ts'
import { Player } from '../player/player.ts'
import { Together } from '../player/together.ts'
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
  const together = useMemo(() => {
    const { seed, untilMs, speed } = lesson
    const players = runs.map(
      ({ scenario, changes = [] }) => new Player({ scenario, seed, changes }, { untilMs, speed }),
    )
    return new Together(players, { untilMs, speed })
  }, [lesson, runs])
  const [hasEnded, setEnded] = useState(false)
  useEffect(() => () => together.end(), [together])
  useEffect(() => {
    if (isLocked) return
    setEnded(false)
    together.play()
  }, [together, isLocked])
  useFrames(useCallback((ms: number) => together.frame(ms), [together]))
  const isOver = !isLocked && together.hasEnded
  useEffect(() => {
    if (!isOver || hasEnded) return
    setEnded(true)
    onEnd()
  }, [isOver, hasEnded, onEnd])
  return (
    <div class={`lesson-runs runs-${runs.length}`}>
      {together.players.map((player, at) => {
        const stage = player.stage.value
        const label = runs[at]?.label ?? ''
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
          aria-label={together.isPlaying.value ? 'Stop' : 'Play'}
          onClick={() => together.toggle()}
        >
          <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
            <path d={together.isPlaying.value ? 'M5 3v10M11 3v10' : 'M5 3l8 5-8 5z'} />
          </svg>
        </button>
        <input
          type="range"
          aria-label="The instant that is shown"
          aria-valuetext={clockText(together.atMs.value)}
          disabled={isLocked}
          min={0}
          max={together.untilMs}
          step={50}
          value={together.atMs.value}
          onInput={(event) => {
            together.pause()
            together.seek(event.currentTarget.valueAsNumber)
          }}
        />
        <output>{clockText(together.atMs.value)}</output>
        {!isLocked && !hasEnded && (
          <button
            type="button"
            class="quiet"
            onClick={() => {
              together.pause()
              together.seek(together.untilMs)
            }}
          >
            To the end
          </button>
        )}
      </div>
    </div>
  )
}
