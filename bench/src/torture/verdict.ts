import type { LoadedWorker } from './loaded-worker.ts'
import type { ToldTask } from './producer.ts'
import type { Start } from './start-log.ts'

/** From when until when processes could not act. */
export interface Disruption {
  fromMs: number
  untilMs: number
  /** The workers whose leases it may cost. */
  victims: readonly LoadedWorker[]
}

/** What one round shows. */
export interface Verdict {
  accepted: number
  /** Accepted, and without an outcome long after the load ended. */
  lost: string[]
  /** Their recorded outcome is not the one that was told. */
  changed: string[]
  /** Outcomes of the tasks that ended as dead letters. */
  dead: string[]
  /** Starts of a handler beyond each task's first one. */
  duplicates: number
  /** Leases that the disruption may cost; see `liveDuring`. */
  live: number
}

/**
 * Leases that were live at a disruption, seen from outside: tasks whose handler had started on the given starts before the
 * disrupted side was back, and whose outcome no producer had been told when it began. A start in between counts, since its
 * delivery had left before. The estimate misses deliveries that had not started, which cannot start twice unless they
 * start once, and includes settlements whose outcome was on its way to the producer.
 */
export function liveDuring(
  starts: readonly Start[],
  told: ReadonlyMap<string, ToldTask>,
  { fromMs, untilMs }: Pick<Disruption, 'fromMs' | 'untilMs'>,
): number {
  const live = new Set<string>()
  for (const { id, atMs } of starts) {
    const toldMs = told.get(id)?.toldMs ?? Number.POSITIVE_INFINITY
    if (atMs <= untilMs && toldMs > fromMs) live.add(id)
  }
  return live.size
}

/** Starts beyond each task's first one. `started` holds the tasks of earlier starts and takes in these. */
export function countDuplicates(starts: readonly Start[], started: Set<string>): number {
  const before = started.size
  for (const { id } of starts) started.add(id)
  return starts.length - (started.size - before)
}

/** The tasks whose recorded outcome differs from the told one. `recorded` says undefined for a task that has none. */
export function changedOutcomes(told: Iterable<ToldTask>, recorded: ReadonlyMap<string, string | undefined>): string[] {
  const changed: string[] = []
  for (const { id, outcome } of told) if (outcome !== undefined && recorded.get(id) !== outcome) changed.push(id)
  return changed
}
