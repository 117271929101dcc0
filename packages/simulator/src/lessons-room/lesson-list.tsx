import { lessons } from '../lessons/index.ts'
import { exportProgress, progress } from './progress.ts'

export function LessonList() {
  const done = lessons.filter(({ name }) => progress.value[name]?.doneAt !== undefined).length
  return (
    <main class="room">
      <header class="list-head">
        <h1>Lessons</h1>
        <p>
          Guess first, then watch the real queue, then say what happened. Each lesson takes about five minutes and
          stands on its own.
        </p>
        {done > 0 && (
          <p class="list-done">
            {done} of {lessons.length} done. Your guesses are kept on this device only.{' '}
            <button type="button" class="quiet" onClick={download}>
              Export them
            </button>
          </p>
        )}
      </header>
      <ol class="lesson-list">
        {lessons.map(({ name, title, teaser }, at) => {
          const noted = progress.value[name]
          return (
            <li key={name}>
              <a href={`#/lessons/${name}`} class={noted?.doneAt === undefined ? '' : 'is-done'}>
                <span class="lesson-badge" aria-hidden="true">
                  {noted?.doneAt === undefined ? at + 1 : '✓'}
                </span>
                <span>
                  <b>{title}</b>
                  <span class="lesson-teaser">{teaser}</span>
                  {noted?.doneAt !== undefined && <span class="visually-hidden"> Done.</span>}
                </span>
              </a>
            </li>
          )
        })}
      </ol>
    </main>
  )
}

function download(): void {
  const url = URL.createObjectURL(new Blob([exportProgress()], { type: 'application/json' }))
  const link = document.createElement('a')
  link.href = url
  link.download = 'sluice-lessons.json'
  link.click()
  URL.revokeObjectURL(url)
}
