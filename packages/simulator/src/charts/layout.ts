import type { ObservedMachine, Transition } from '@sluice/machines/states'

/**
 * - `state`, `final`: a state of the machine. One that has others inside it is drawn as a frame with its name.
 * - `region`: a part of a state that moves beside the others.
 * - `group`: states that share transitions. It is only drawn, and the machine does not know it.
 * - `initial`: the dot that points to where a machine, a state or a region begins.
 */
export type ChartNodeKind = 'state' | 'final' | 'region' | 'group' | 'initial'

/** A box. All lengths are in CSS pixels, from the upper left corner of the chart. */
export interface ChartNode {
  /** The path of a state, with dots, as transitions name it. */
  readonly id: string
  /** What is written in it. Empty for a group and a dot. */
  readonly name: string
  readonly kind: ChartNodeKind
  /** The state, region or group around it. */
  readonly parent?: string
  readonly x: number
  readonly y: number
  readonly w: number
  readonly h: number
}

/** A transition, as it is written beside its line. */
export interface ChartLabel {
  readonly event: string
  readonly guard?: string
  /** The event is the name of a delay that has passed. */
  readonly isDelay?: true
}

/** On which side of their box labels stand. */
export type ChartAlign = 'start' | 'middle' | 'end'

/** A line from one box to another, with everything that goes this way. */
export interface ChartEdge {
  readonly from: string
  readonly to: string
  /** The states that have these transitions: `from` itself, or the members of that group. None: it comes from a dot. */
  readonly sources: readonly string[]
  readonly points: readonly (readonly [x: number, y: number])[]
  readonly labels: readonly ChartLabel[]
  /** The box of the labels, which stand below each other. Absent without labels. */
  readonly at?: {
    readonly x: number
    readonly y: number
    readonly w: number
    readonly h: number
    readonly align: ChartAlign
  }
}

/** A chart with a place for everything. It is made from the machine's definition by `pnpm run charts`. */
export interface ChartLayout {
  readonly machine: ObservedMachine
  /** Of the definition from which it was made. */
  readonly hash: string
  readonly w: number
  readonly h: number
  readonly nodes: readonly ChartNode[]
  readonly edges: readonly ChartEdge[]
}

/** A transition that was taken, whichever instance took it. */
export type Taken = Pick<Transition, 'from' | 'to' | 'event' | 'guard'>

/** Whether a state is this one or is inside it. */
export function isWithin(state: string, outer: string): boolean {
  return state === outer || state.startsWith(`${outer}.`)
}

/** How a transition is drawn, and which state has it. */
export interface Drawn {
  edge: ChartEdge
  label: ChartLabel
  source: string
}

/** The line and the label of a transition. Undefined if the chart has none, because it is of another version. */
export function edgeOf(layout: ChartLayout, taken: Taken): Drawn | undefined {
  let found: Drawn | undefined
  for (const edge of layout.edges) {
    if (!isWithin(taken.to, edge.to)) continue
    const source = edge.sources.find((state) => isWithin(taken.from, state))
    const label = edge.labels.find(({ event, guard }) => event === taken.event && guard === taken.guard)
    if (source === undefined || label === undefined) continue
    // The innermost state that has the transition takes it.
    if (found === undefined || source.length + edge.to.length > found.source.length + found.edge.to.length)
      found = { edge, label, source }
  }
  return found
}

/** The states that are active: those that were told, what is around them, and where each region begins. */
export function activeStates(layout: ChartLayout, told: readonly string[]): ReadonlySet<string> {
  const active = new Set<string>()
  for (const state of told) {
    const names = state.split('.')
    for (let depth = 1; depth <= names.length; depth += 1) active.add(names.slice(0, depth).join('.'))
  }
  const groups = new Map(layout.nodes.filter(({ kind }) => kind === 'group').map(({ id, parent }) => [id, parent]))
  const beginnings = new Map(
    layout.edges.filter(({ sources }) => sources.length === 0).map(({ from, to }) => [from, to]),
  )
  const insideOf = (outer: string | undefined): ChartNode[] =>
    layout.nodes.filter(({ parent, kind }) => {
      let around = parent
      while (around !== undefined && groups.has(around)) around = groups.get(around)
      return kind !== 'group' && around === outer
    })
  const enter = (outer: string | undefined): void => {
    const inside = insideOf(outer)
    const hasActive = inside.some(({ id, kind }) => kind !== 'region' && active.has(id))
    for (const { id, kind } of inside) {
      if (kind === 'region') active.add(id)
      const beginning = hasActive ? undefined : beginnings.get(id)
      if (beginning !== undefined) active.add(beginning)
    }
    for (const { id } of inside) if (active.has(id)) enter(id)
  }
  if (told.length > 0) enter(undefined)
  return active
}
