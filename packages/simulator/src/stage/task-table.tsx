import type { StageView } from '../view/stage-view.ts'
import './task-table.css'
import { PLACE_WORDS } from './tokens.ts'
import { nameOf } from './words.ts'

/** More rows nobody reads at once. */
const ROWS_MAX = 60

interface TaskTableProps {
  stage: StageView
  selected: string | undefined
  onTask: (id: string) => void
}

/** The tokens in words: what is drawn, and where each of it is. */
export function TaskTable({ stage, selected, onTask }: TaskTableProps) {
  const waiting = stage.queues.reduce((sum, { ready, delayed }) => sum + ready + delayed, 0)
  const rows = stage.tasks.slice(0, ROWS_MAX)
  return (
    <div class="task-table">
      <p class="table-note">
        {stage.tasks.length} tasks are in the picture, {waiting} wait at the broker.
        {stage.tasks.length > ROWS_MAX && ` The first ${ROWS_MAX} are listed.`}
      </p>
      <table>
        <thead>
          <tr>
            <th scope="col">Task</th>
            <th scope="col">Queue</th>
            <th scope="col">Where it is</th>
            <th scope="col">From</th>
            <th scope="col">Attempts</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ id, number, queue, place, state, worker, producer, attempts, runs }) => (
            <tr key={id} class={id === selected ? 'is-selected' : ''}>
              <th scope="row">
                <button type="button" class="link-button" onClick={() => onTask(id)}>
                  #{number}
                </button>
              </th>
              <td>{queue}</td>
              <td>
                <span class={`state-dot state-${state}`} aria-hidden="true" />
                {PLACE_WORDS[place]}
                {worker !== undefined && (place === 'held' || place === 'running') && ` (${worker})`}
                {runs > 1 && `, ${runs} handlers at once`}
              </td>
              <td>{nameOf({ name: producer, kind: producer.startsWith('tab') ? 'tab' : 'producer' })}</td>
              <td class="number">{attempts}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
