import { useComputed } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import type { Branches } from '../player/branches.ts'
import { type Player, SPEEDS } from '../player/player.ts'
import { changeText } from '../view/words.ts'
import { clockText, speedText } from './time.ts'
import './timeline.css'

/** A run that is longer than this shows on its line only what is known of it, and at least this much. */
const LINE_MS_MIN = 60_000

interface TimelineProps {
  player: Player
  branches?: Branches
  /** Lays the shown branch beside the first one. */
  onCompare?: () => void
  /** What else can be done with the run. */
  children?: ComponentChildren
}

/** Play, stop, step, and go to any instant. */
export function Timeline({ player, branches, onCompare, children }: TimelineProps) {
  const endMs = useComputed(() => {
    const untilMs = player.untilMs.value
    const headMs = player.shown.value?.headMs ?? 0
    return untilMs <= 5 * LINE_MS_MIN
      ? untilMs
      : Math.min(untilMs, Math.max(LINE_MS_MIN, Math.ceil(headMs / 30_000) * 30_000))
  })
  const { plan, isPlaying, speed, atMs, shown, notice, reached, goingTo, isRecording } = player
  const marks = plan.value.changes.map(({ atMs: at, change }) => ({ at, words: changeText(change), kind: 'change' }))
  const planned = (plan.value.scenario.script ?? []).map(({ atMs: at, fault }) => ({
    at,
    words: fault.type,
    kind: 'fault',
  }))
  const place = SPEEDS.indexOf(speed.value)
  const faster = SPEEDS[place === -1 ? SPEEDS.findIndex((one) => one > speed.value) : place + 1]
  const slower = SPEEDS[place === -1 ? SPEEDS.findLastIndex((one) => one < speed.value) : place - 1]
  const setSpeed = (next: number | undefined) => {
    if (next !== undefined) speed.value = next
  }
  return (
    <section class="timeline" aria-label="Time">
      <div class="timeline-line">
        <div class="timeline-marks" aria-hidden="true">
          {[...marks, ...planned]
            .filter(({ at }) => at <= endMs.value)
            .map(({ at, words, kind }) => (
              <span
                key={`${kind} ${at} ${words}`}
                class={`mark mark-${kind}`}
                style={{ left: `${(at / endMs.value) * 100}%` }}
                title={`${clockText(at)}: ${words}`}
              />
            ))}
          <span
            class="timeline-known"
            style={{ width: `${Math.min(100, ((shown.value?.headMs ?? 0) / endMs.value) * 100)}%` }}
          />
        </div>
        <input
          type="range"
          aria-label="The instant that is shown"
          aria-valuetext={clockText(atMs.value)}
          min={0}
          max={endMs.value}
          step={100}
          value={goingTo.value ?? atMs.value}
          onInput={(event) => {
            player.pause()
            player.seek(event.currentTarget.valueAsNumber)
          }}
        />
      </div>
      <div class="timeline-buttons">
        <button
          type="button"
          class="round"
          aria-label="Back to the start"
          title="Back to the start (Home)"
          onClick={() => player.seek(0)}
        >
          <Icon d="M4 3v10M13 3L6 8l7 5z" />
        </button>
        <button
          type="button"
          class="round"
          aria-label="One second back"
          title="One second back (←)"
          onClick={() => {
            player.pause()
            player.seek(atMs.value - 1000)
          }}
        >
          <Icon d="M9 4L4 8l5 4M13 4L8 8l5 4" />
        </button>
        <button
          type="button"
          class="round primary"
          aria-label={isPlaying.value ? 'Stop' : 'Play'}
          title={isPlaying.value ? 'Stop (space)' : 'Play (space)'}
          onClick={() => player.toggle()}
        >
          <Icon d={isPlaying.value ? 'M5 3v10M11 3v10' : 'M5 3l8 5-8 5z'} />
        </button>
        <button
          type="button"
          class="round"
          aria-label="To the next message"
          title="To the next message (.)"
          onClick={() => player.step({ type: 'message' })}
        >
          <Icon d="M3 3l7 5-7 5zM13 3v10" />
        </button>
        <output class="timeline-clock" aria-label="World time">
          {clockText(atMs.value)}
        </output>
        <fieldset class="speed" aria-label="Speed">
          <button
            type="button"
            class="round"
            disabled={slower === undefined}
            aria-label="Slower"
            title="Slower ([)"
            onClick={() => setSpeed(slower)}
          >
            −
          </button>
          <output>
            {speedText(speed.value)}
            {reached.value !== undefined && <small> really {speedText(Number(reached.value.toPrecision(2)))}</small>}
          </output>
          <button
            type="button"
            class="round"
            disabled={faster === undefined}
            aria-label="Faster"
            title="Faster (])"
            onClick={() => setSpeed(faster)}
          >
            +
          </button>
        </fieldset>
        {branches !== undefined && branches.list.value.length > 1 && (
          <BranchChoice player={player} branches={branches} />
        )}
        {onCompare !== undefined && branches !== undefined && branches.current.value !== 1 && (
          <button type="button" class="quiet" onClick={onCompare}>
            Compare with run 1
          </button>
        )}
        {children}
        <span class="timeline-notice" role="status">
          {goingTo.value === undefined ? notice.value : `Going to ${clockText(goingTo.value)}…`}
          {isRecording.value && ' This is a recording: it cannot be changed.'}
        </span>
      </div>
    </section>
  )
}

function BranchChoice({ player, branches }: { player: Player; branches: Branches }) {
  return (
    <label class="branches">
      <span>Run</span>
      <select
        value={branches.current.value}
        onChange={(event) => {
          const branch = branches.list.value.find(({ number }) => number === Number(event.currentTarget.value))
          if (branch === undefined) return
          const atMs = player.atMs.value
          branches.current.value = branch.number
          void player.open(branch.plan).then(() => player.seek(atMs))
        }}
      >
        {branches.list.value.map(({ number, words, atMs }) => (
          <option key={number} value={number}>
            {number}: {number === 1 ? words : `${clockText(atMs)} ${words}`}
          </option>
        ))}
      </select>
    </label>
  )
}

function Icon({ d }: { d: string }) {
  return (
    <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      <path d={d} />
    </svg>
  )
}
