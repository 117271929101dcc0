import type { Observation } from '@sluice/world'

/** One run of a handler, as its worker saw it. Times are world time. */
export interface HandlerRun {
  id: string
  node: string
  queue: string
  startedAtMs: number
  /** Undefined if it still runs or has died with its worker. */
  endedAtMs?: number
  /** Whether it did the work and did not throw. */
  hasReturned: boolean
}

/** Every run, in the order in which they began. It looks at `handlerStarted` and `handlerEnded`. */
export function handlerRunsOf(seen: readonly Observation[]): HandlerRun[] {
  const runs = new Map<number, HandlerRun>()
  for (const observation of seen) {
    if (observation.type === 'handlerStarted') {
      const { id, node, queue, atMs, run } = observation
      runs.set(run, { id, node, queue, startedAtMs: atMs, hasReturned: false })
    } else if (observation.type === 'handlerEnded') {
      const run = runs.get(observation.run)
      if (!run) continue
      run.endedAtMs = observation.atMs
      run.hasReturned = observation.how === 'returned'
    }
  }
  return [...runs.values()]
}

/** The runs of each task, by its id. */
export function runsByTask(runs: readonly HandlerRun[]): Map<string, HandlerRun[]> {
  return Map.groupBy(runs, ({ id }) => id)
}

/** How many results were refused because their lease was lost. It looks at `sentByBroker`. */
export function resultsRefused(seen: readonly Observation[]): number {
  let refused = 0
  for (const observation of seen) {
    if (observation.type !== 'sentByBroker' || observation.message.type !== 'settled') continue
    refused += observation.message.refused.filter(({ error }) => error.code === 'lease_lost').length
  }
  return refused
}
