import type { ChartLabel } from './layout.ts'

/** What stands before, in and after the name of the event. */
export function labelParts({ event, guard, isDelay }: ChartLabel): { before: string; event: string; after: string } {
  return { before: isDelay ? 'after ' : '', event, after: guard === undefined ? '' : ` [${guard}]` }
}

/** A label as it is written. */
export function labelText(label: ChartLabel): string {
  const { before, event, after } = labelParts(label)
  return before + event + after
}
