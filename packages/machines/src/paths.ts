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

/** One event on the path through a chart: the states before and after it, and the actions of the chart. */
export interface PathStep<Machine extends AnyStateMachine> {
  event: EventFromLogic<Machine>
  before: SnapshotFrom<Machine>
  after: SnapshotFrom<Machine>
  actions: readonly ExecutableActionsFrom<Machine>[]
  /** The name of the transition, as in `transitionsFrom`; undefined if the chart has none for this event. */
  transition: string | undefined
}

export interface PathOptions<Machine extends AnyStateMachine> {
  /** Every event to try in every state. Make those of `after` with `afterEvent`. */
  events: readonly (EventFromLogic<Machine> | AfterEvent)[]
  input?: InputFrom<Machine>
  /**
   * The part of a state that decides the next step. From states with the same key, the search continues once.
   * Default: the state's value.
   */
  key?: (snapshot: SnapshotFrom<Machine>) => unknown
}

export interface AfterEvent {
  type: `xstate.after.${string}`
}

/** The event by which XState tells a chart that the delay of this state is over. */
export function afterEvent(machine: AnyStateMachine, state: string, delay: string): AfterEvent {
  return { type: `xstate.after.${delay}.${machine.id}.${state}` }
}

/**
 * For each reachable state and each event: the shortest path to the state, followed by that event, whether the chart
 * handles it there or not. Together these paths take every transition from every state.
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
    // The first step of XState's paths only gives the initial state.
    const way = steps.slice(1).map(({ event }) => event as EventFromLogic<Machine>)
    return events.map((event) => pathOf(machine, [...way, event], input))
  })
}

/** The path that these events take through a chart. */
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
  // For a generic chart, the compiler cannot tell that its events have a type and its states a value.
  const chart: AnyStateMachine = machine
  const from = before as AnyMachineSnapshot
  const known = event as AnyEventObject
  // A chart that has ended handles no event, whatever its outermost state has.
  const [after, actions] = from.status === 'done' ? [from, []] : transition(chart, from, known)
  const step = { event, before, after, actions, transition: transitionBetween(from, known.type, after) }
  return step as unknown as PathStep<Machine>
}

/** Each transition that the chart has in this state, regardless of its guard, as `state event target`. */
export function transitionsFrom(snapshot: AnyMachineSnapshot): string[] {
  return candidates(snapshot).map((candidate) => nameOf(snapshot, candidate))
}

/** A state's value in short form: `ready.fresh`, `connected(reading.paused delivery.flowing)`. */
export function valueName(value: StateValue): string {
  if (typeof value === 'string') return value
  const parts = Object.entries(value).map(([key, inner]) => [key, valueName(inner as StateValue)])
  const names = parts.map(([key, inner]) => (inner?.startsWith('(') ? `${key}${inner}` : `${key}.${inner}`))
  return names.length === 1 ? (names[0] as string) : `(${names.join(' ')})`
}

/** The events of a path in one line, for readers who follow a failed path. */
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

/** Innermost first, without the ones that an inner transition without a guard hides. */
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
