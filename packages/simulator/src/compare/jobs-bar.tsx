import type { Progress } from './use-jobs.ts'
import './jobs-bar.css'

interface JobsBarProps {
  progress: Progress<unknown>
  /** Such as `futures`. */
  noun: string
  startWords: string
  onStart: () => void
  onStop: () => void
}

/** Starts and stops a row of jobs, and says how far they are. */
export function JobsBar({
  progress: { answers, total, state, error },
  noun,
  startWords,
  onStart,
  onStop,
}: JobsBarProps) {
  const isRunning = state === 'running'
  return (
    <div class="jobs">
      {isRunning ? (
        <button type="button" class="outline" onClick={onStop}>
          Stop
        </button>
      ) : (
        <button type="button" class="solid" onClick={onStart}>
          {startWords}
        </button>
      )}
      <progress aria-label={`${noun} done`} value={answers.length} max={Math.max(1, total)} hidden={state === 'idle'} />
      <span class="jobs-state" role="status">
        {state === 'running' && `${answers.length} of ${total} ${noun}`}
        {state === 'stopped' && `Stopped after ${answers.length} of ${total} ${noun}.`}
        {state === 'done' && `${total} ${noun}.`}
        {state === 'failed' && `It failed: ${error}`}
      </span>
    </div>
  )
}
