/** No result's own word has a space in it, so that none is taken for a dead letter. */
const prefix = 'dead letter: '

/** A dead letter's outcome in the words of `ToldTask.outcome`. */
export function deadOutcome(reason: string, attempts: number, message: string | undefined): string {
  return `${prefix}${reason}, ${attempts} attempts, ${message ?? 'no failure'}`
}

export function isDeadOutcome(outcome: string): boolean {
  return outcome.startsWith(prefix)
}
