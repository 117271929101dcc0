import type { ObservedMachine } from '@sluice/machines/states'
import { labelText } from './label.ts'
import { type ChartLayout, edgeOf, type Taken } from './layout.ts'

/** What each machine is the chart of, for people. */
export const MACHINE_TITLES: Readonly<Record<ObservedMachine, string>> = {
  connection: 'a connection',
  producer: 'a producer',
  worker: 'a worker',
  workerSlot: 'a slot of a worker',
  outboxItem: 'an item of an outbox',
  session: 'a session',
  broker: 'the broker',
  task: 'a task',
}

/** The chart in words, for those who do not see it. */
export function describeChart(layout: ChartLayout, active: ReadonlySet<string>, last: Taken | undefined): string {
  const states = layout.nodes.filter(({ kind }) => kind === 'state' || kind === 'final').map(({ id }) => id)
  const now = states.filter((id) => active.has(id))
  // The innermost ones say it all.
  const inmost = now.filter((id) => !now.some((other) => other.startsWith(`${id}.`)))
  const taken = last && edgeOf(layout, last)
  return [
    `State chart of ${MACHINE_TITLES[layout.machine]}.`,
    inmost.length === 0 ? 'No state is active.' : `Active: ${listed(inmost)}.`,
    last && taken ? `The latest transition: ${labelText(taken.label)}, from ${last.from} to ${last.to}.` : '',
    `States: ${listed(states)}.`,
  ]
    .filter((sentence) => sentence !== '')
    .join(' ')
}

function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
}
