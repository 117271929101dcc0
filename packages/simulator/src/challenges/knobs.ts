import type { Scenario, WorkerGroup } from '@sluice/world'
import type { Knob } from './challenge.ts'

type Turned = 'count' | 'prefetch'

/** The scenario with one group of workers changed. */
function withGroup(scenario: Scenario, group: number, change: Partial<WorkerGroup>): Scenario {
  return { ...scenario, workers: scenario.workers.map((one, at) => (at === group ? { ...one, ...change } : one)) }
}

/** A knob for a number of one group of workers. */
export function workersKnob(
  group: number,
  what: Turned,
  knob: Pick<Knob, 'label' | 'unit' | 'min' | 'max' | 'cost' | 'free'>,
): Knob {
  return {
    ...knob,
    step: 1,
    read: ({ workers }) => workers[group]?.[what] ?? 0,
    write: (scenario, value) => withGroup(scenario, group, { [what]: value }),
  }
}
