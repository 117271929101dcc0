import {
  type AnyEventObject,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  type AnyTransitionDefinition,
  type EventFromLogic,
  type ExecutableActionsFrom,
  getNextTransitions,
  type InputFrom,
  initialTransition,
  type SnapshotFrom,
  type StateValue,
  transition,
} from 'xstate'
import { getShortestPaths } from 'xstate/graph'

/** One event on the way through a chart, with the states before and after it and what the chart does on it. */
export interface PathStep<Machine extends AnyStateMachine> {
  event: EventFromLogic<Machine>
  before: SnapshotFrom<Machine>
  after: SnapshotFrom<Machine>
  actions: readonly ExecutableActionsFrom<Machine>[]
  /** The name of the transition, as in `transitionsFrom`; undefined where the chart has none for this event. */
  transition: string | undefined
}

export interface PathOptions<Machine extends AnyStateMachine> {
  /** Every event to try in every state. Those of `after` are made with `afterEvent`. */
  events: readonly (EventFromLogic<Machine> | AfterEvent)[]
  input?: InputFrom<Machine>
  /** What of a state decides the next step: states of the same key are walked on from once. Default: its value. */
  key?: (snapshot: SnapshotFrom<Machine>) => unknown
}

export interface AfterEvent {
  type: `xstate.after.${string}`
}

/** The event with which XState tells a chart that the delay of this state is over. */
export function afterEvent(machine: AnyStateMachine, state: string, delay: string): AfterEvent {
  return { type: `xstate.after.${delay}.${machine.id}.${state}` }
}

/**
 * For each state that can be reached and each of the events: the shortest way there and then that event, whether the
 * chart has it there or not. Walking them all takes every transition from every state.
 */
export function pathsThrough<Machine extends AnyStateMachine>(
  machine: Machine,
  { events, input, key = ({ value }) => value }: PathOptions<Machine>,
): PathStep<Machine>[][] {
  const reached = getShortestPaths(machine as AnyStateMachine, {
    input,
    events: [...events],
    serializeState: (snapshot) => JSON.stringify(key(snapshot as SnapshotFrom<Machine>)),
    stopWhen: ({ status }) => status === 'done',
  })
  return reached.flatMap(({ steps }) => {
    // The first step of XState's paths only says where the chart begins.
    const way = steps.slice(1).map(({ event }) => event as EventFromLogic<Machine>)
    return events.map((event) => pathOf(machine, [...way, event], input))
  })
}

/** The way that these events take through a chart. */
export function pathOf<Machine extends AnyStateMachine>(
  machine: Machine,
  events: readonly (EventFromLogic<Machine> | AfterEvent)[],
  input?: InputFrom<Machine>,
): PathStep<Machine>[] {
  let [before] = initialTransition(machine as AnyStateMachine, input) as [SnapshotFrom<Machine>, unknown]
  return events.map((event) => {
    const step = stepFrom(machine, before, event)
    before = step.after
    return step
  })
}

/** What an event does to a chart in this state. */
export function stepFrom<Machine extends AnyStateMachine>(
  machine: Machine,
  before: SnapshotFrom<Machine>,
  event: EventFromLogic<Machine> | AfterEvent,
): PathStep<Machine> {
  // Of a chart that is not known yet the compiler cannot tell that its events have a type and its states a value.
  const chart: AnyStateMachine = machine
  const from = before as AnyMachineSnapshot
  const known = event as AnyEventObject
  // A chart that is at its end takes nothing, whatever its outermost state has.
  const [after, actions] = from.status === 'done' ? [from, []] : transition(chart, from, known)
  const step = { event, before, after, actions, transition: transitionBetween(from, known.type, after) }
  return step as unknown as PathStep<Machine>
}

/** Each transition that the chart has in this state, whatever its guard says, as `state event target`. */
export function transitionsFrom(snapshot: AnyMachineSnapshot): string[] {
  return candidates(snapshot).map((candidate) => nameOf(snapshot, candidate))
}

/** A state's value in short: `ready.fresh`, `connected(reading.paused delivery.flowing)`. */
export function valueName(value: StateValue): string {
  if (typeof value === 'string') return value
  const parts = Object.entries(value).map(([key, inner]) => [key, valueName(inner as StateValue)])
  const names = parts.map(([key, inner]) => (inner?.startsWith('(') ? `${key}${inner}` : `${key}.${inner}`))
  return names.length === 1 ? (names[0] as string) : `(${names.join(' ')})`
}

/** The events of a path in a line, for whoever has to follow one that went wrong. */
export function storyOf(steps: readonly { event: { type: string } }[]): string {
  return steps
    .map(({ event: { type, ...more } }) => (Object.keys(more).length === 0 ? type : `${type} ${JSON.stringify(more)}`))
    .join(', then ')
}

function transitionBetween(before: AnyMachineSnapshot, event: string, after: AnyMachineSnapshot): string | undefined {
  const taken = candidates(before).find(
    ({ eventType, target }) =>
      eventType === event && (target === undefined || target.every((node) => after._nodes.includes(node))),
  )
  return taken && nameOf(before, taken)
}

/** Innermost first, without those that an inner one with no guard keeps from being asked. */
function candidates(snapshot: AnyMachineSnapshot): AnyTransitionDefinition[] {
  if (snapshot.status === 'done') return []
  const settled = new Set<string>()
  return getNextTransitions(snapshot).filter(({ eventType, guard }) => {
    if (settled.has(eventType)) return false
    if (guard === undefined) settled.add(eventType)
    return true
  })
}

function nameOf({ value }: AnyMachineSnapshot, { eventType, target }: AnyTransitionDefinition): string {
  const to = target?.map((node) => node.path.join('.')).join(' ') ?? '(stays)'
  return `${valueName(value)} ${eventType} ${to}`
}
