import { deadOutcome } from './outcome.ts'

interface TaskView {
  state: string
  reason?: string
  attempts?: number
  error?: { message: string }
  result?: { execution?: string }
}

const requestsAtOnce = 32

/** What the broker has recorded of each task, asked over HTTP, in the words of `ToldTask.outcome`. */
export async function recordedOutcomes(
  httpUrl: string,
  ids: readonly string[],
): Promise<Map<string, string | undefined>> {
  const recorded = new Map<string, string | undefined>()
  const rest = [...ids]
  const askSome = async () => {
    for (let id = rest.pop(); id !== undefined; id = rest.pop()) {
      const answer = await fetch(`${httpUrl}/v1/tasks/${id}`)
      recorded.set(id, outcomeOf((await answer.json()) as TaskView))
    }
  }
  await Promise.all(Array.from({ length: requestsAtOnce }, askSome))
  return recorded
}

function outcomeOf({ state, reason, attempts, error, result }: TaskView): string | undefined {
  if (state === 'succeeded') return result?.execution
  return state === 'dead' ? deadOutcome(reason!, attempts!, error?.message) : undefined
}
