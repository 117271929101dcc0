import { unbroken } from '../view/words.ts'

/** A text in which the names of tasks are buttons that open their stories. */
export function WithTasks({
  text,
  tasks,
  onTask,
}: {
  text: string
  tasks: readonly { id: string; task: string }[]
  onTask: (id: string) => void
}) {
  return (
    <>
      {text.split(/(#\d+)/).map((part, at) => {
        const id = tasks.find(({ task }) => task === part)?.id
        return id === undefined ? (
          unbroken(part)
        ) : (
          <button key={at} type="button" class="task" onClick={() => onTask(id)}>
            {part}
          </button>
        )
      })}
    </>
  )
}
