import { signal } from '@preact/signals'
import type { Branch } from '../player/branches.ts'
import { clockText } from '../ui/time.ts'
import type { Pair } from './pairs.ts'

/** Two branches of the play room, to be shown side by side. */
export const laidBeside = signal<Pair | undefined>(undefined)

/** At least so much of the runs is compared, and so much after the instant at which they part. */
const SPAN_MS = 60_000

/** Lays two branches of a run beside each other. The address to go to is `#/compare/runs`. */
export function layBeside(first: Branch, second: Branch, speed: number): void {
  const { scenario } = first.plan
  const partedMs = Math.max(first.atMs, second.atMs)
  laidBeside.value = {
    name: 'runs',
    title: `Your runs ${first.number} and ${second.number}`,
    text: `Run ${second.number} differs from ${clockText(second.atMs)} on: ${second.words}.`,
    runs: [
      { label: `run ${first.number}`, plan: first.plan },
      { label: `run ${second.number}`, plan: second.plan },
    ],
    untilMs: Math.min(scenario.durationMs, second.plan.scenario.durationMs, partedMs + SPAN_MS),
    speed,
    shows: ['done', 'waiting', 'p95Ms', 'retries'],
    says: ['done', 'p95Ms', 'waitingMax'],
  }
}
