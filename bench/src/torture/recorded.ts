import { deadOutcome } from './outcome.ts'

/** What the broker has recorded of a task. */
export interface TaskView {
  state: string
  reason?: string
  attempts?: number
  error?: { message: string }
  result?: { execution?: string }
  /** Of attempts that ended without a result, the last ones. */
  history?: { how: string }[]
}

const requestsAtOnce = 32

/** What the broker has recorded of each task, asked over HTTP. */
export async function taskViews(httpUrl: string, ids: readonly string[]): Promise<Map<string, TaskView>> {
  const views = new Map<string, TaskView>()
  const rest = [...ids]
  const askSome = async () => {
    for (let id = rest.pop(); id !== undefined; id = rest.pop()) {
      const answer = await fetch(`${httpUrl}/v1/tasks/${id}`)
      views.set(id, (await answer.json()) as TaskView)
    }
  }
  await Promise.all(Array.from({ length: requestsAtOnce }, askSome))
  return views
}

/** Of each task the outcome that the broker has recorded, in the words of `ToldTask.outcome`. */
export async function recordedOutcomes(
  httpUrl: string,
  ids: readonly string[],
): Promise<Map<string, string | undefined>> {
  return outcomesIn(await taskViews(httpUrl, ids))
}

export function outcomesIn(views: ReadonlyMap<string, TaskView>): Map<string, string | undefined> {
  return new Map([...views].map(([id, view]) => [id, outcomeOf(view)]))
}

/** Attempts of a task that were lost with their worker. */
export function lostAttempts({ history = [] }: TaskView): number {
  return history.filter(({ how }) => how === 'lease_expired' || how === 'session_lost').length
}

function outcomeOf({ state, reason, attempts, error, result }: TaskView): string | undefined {
  if (state === 'succeeded') return result?.execution
  return state === 'dead' ? deadOutcome(reason!, attempts!, error?.message) : undefined
}
