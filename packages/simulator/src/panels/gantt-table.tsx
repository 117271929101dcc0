import type { GanttView, SpanEnd } from '../view/gantt.ts'
import { instantText, spanText } from '../view/words.ts'

const ROWS_MAX = 200

/** The same attempts as a table, the newest first. */
export function GanttTable({
  gantt,
  how,
  onTask,
}: {
  gantt: GanttView
  how: Readonly<Record<SpanEnd, string>>
  onTask: (id: string) => void
}) {
  const { spans, untilMs: nowMs } = gantt
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached with the keyboard.
    <section class="scrolls" tabIndex={0} aria-label="Table of attempts">
      <table class="numbers">
        <caption>
          {spans.length > ROWS_MAX ? `The newest ${ROWS_MAX} of ${spans.length} attempts.` : 'The newest first.'}
        </caption>
        <thead>
          <tr>
            <th scope="col">begun</th>
            <th scope="col">task</th>
            <th scope="col">attempt</th>
            <th scope="col">worker</th>
            <th scope="col">slot</th>
            <th scope="col">took</th>
            <th scope="col">end</th>
          </tr>
        </thead>
        <tbody>
          {spans
            .toReversed()
            .slice(0, ROWS_MAX)
            .map((span) => (
              <tr key={`${span.worker} ${span.slot} ${span.fromMs}`}>
                <th scope="row">{instantText(span.fromMs)}</th>
                <td>
                  <button type="button" class="task" onClick={() => onTask(span.id)}>
                    {span.task}
                  </button>
                </td>
                <td>{span.attempt}</td>
                <td>{span.worker}</td>
                <td>{span.slot + 1}</td>
                <td>{spanText((span.untilMs ?? nowMs) - span.fromMs)}</td>
                <td>
                  {how[span.how]}
                  {span.isDuplicate && ', a duplicate'}
                </td>
              </tr>
            ))}
        </tbody>
      </table>
    </section>
  )
}
