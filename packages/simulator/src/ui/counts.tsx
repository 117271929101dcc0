import type { StageView } from '../view/stage-view.ts'

const COUNTS = [
  { name: 'submitted', words: 'submitted' },
  { name: 'succeeded', words: 'done' },
  { name: 'retries', words: 'retries' },
  { name: 'busy', words: 'told “busy”' },
  { name: 'dead', words: 'given up' },
] as const

export function Counts({ counts }: { counts: StageView['counts'] }) {
  return (
    <dl class="counts">
      {COUNTS.map(({ name, words }) => (
        <div key={name} class={`count count-of-${name}`}>
          <dt>{words}</dt>
          <dd>{counts[name]}</dd>
        </div>
      ))}
    </dl>
  )
}
