import { useEffect, useRef, useState } from 'preact/hooks'
import type { Happening } from '../view/narration.ts'
import { momentText } from '../view/words.ts'
import './panels.css'
import { WithTasks } from './with-tasks.tsx'

/** Something new is announced at most this often. */
const ANNOUNCED_EVERY_MS = 4000

/** What has just happened, in words. What goes wrong is announced to those who do not see it. */
export function NarrationPanel({
  happenings,
  onTask,
}: {
  happenings: readonly Happening[]
  onTask: (id: string) => void
}) {
  const [isAll, setAll] = useState(true)
  const shown = happenings.filter(({ weight }) => isAll || weight !== 'routine').toReversed()
  const announced = useAnnouncement(happenings)
  return (
    <section class="panel narration" aria-label="What has happened">
      <div class="panel-bar">
        <h2>What has happened</h2>
        <label class="panel-tick">
          <input type="checkbox" checked={isAll} onChange={() => setAll(!isAll)} /> also routine
        </label>
      </div>
      {shown.length === 0 ? (
        <p class="empty">{isAll ? 'Nothing yet.' : 'Nothing but routine.'}</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached with the keyboard.
        <ol class="log" tabIndex={0} aria-label="Happenings, the newest first">
          {shown.map(({ key, fromMs, weight, text, tasks }) => (
            <li key={key} class={`happening ${weight}`}>
              <time>{momentText(fromMs)}</time>
              <span class="sign" aria-hidden="true">
                {weight === 'trouble' ? '▲' : weight === 'notable' ? '◆' : '·'}
              </span>
              <span class="what">
                <WithTasks text={text} tasks={tasks} onTask={onTask} />
              </span>
            </li>
          ))}
        </ol>
      )}
      <p class="unseen" aria-live="polite">
        {announced}
      </p>
    </section>
  )
}

/** The newest thing that is not routine, now and then. */
function useAnnouncement(happenings: readonly Happening[]): string {
  const [announced, announce] = useState('')
  const newest = useRef('')
  newest.current = happenings.findLast(({ weight }) => weight !== 'routine')?.text ?? ''
  useEffect(() => {
    const timer = setInterval(() => announce(newest.current), ANNOUNCED_EVERY_MS)
    return () => clearInterval(timer)
  }, [])
  return announced
}
