import type { Change } from '@sluice/world'
import type { StageView } from '../view/stage-view.ts'

interface EmptySidesProps {
  stage: StageView
  onChange: (change: Change) => void
}

/** Where a hand has removed everybody, there is no part that could be asked for more. */
export function EmptySides({ stage, onChange }: EmptySidesProps) {
  const has = (kinds: readonly string[]) => stage.parts.some(({ kind }) => kinds.includes(kind))
  const hasNone = { producers: !has(['producer', 'tab', 'stranger']), workers: !has(['worker']) }
  if (!hasNone.producers && !hasNone.workers) return null
  return (
    <p class="intro-actions">
      {hasNone.producers && (
        <button type="button" class="outline" onClick={() => onChange({ type: 'producers', group: 0, count: 1 })}>
          Add a producer
        </button>
      )}
      {hasNone.workers && (
        <button type="button" class="outline" onClick={() => onChange({ type: 'workers', group: 0, count: 1 })}>
          Add a worker
        </button>
      )}
    </p>
  )
}
