/** An action of a chart, by its name: a change of the context or an effect. */
export type ChartAction = string | { readonly type: string; readonly params: object }

export interface ChartTransition {
  /** A sibling of the state, or `.name` for a child. Without it the state stays. */
  readonly target?: string
  /** Without it the transition is always possible. */
  readonly guard?: string
  readonly actions?: ChartAction | readonly ChartAction[]
}

/** A target alone, one transition, or several of which the first possible one is taken. */
export type ChartTransitions = string | ChartTransition | readonly ChartTransition[]

export interface ChartState {
  readonly type?: 'final'
  readonly initial?: string
  readonly states?: Readonly<Record<string, ChartState>>
  readonly entry?: ChartAction | readonly ChartAction[]
  readonly on?: Readonly<Record<string, ChartTransitions>>
  /** Taken when the delay of that name has passed since the state was entered. */
  readonly after?: Readonly<Record<string, ChartTransitions>>
}

/**
 * A chart as plain data, with the functions that it names. Programs run it (`ChartRunner`), and XState draws and walks
 * it (`machineOf`). It is a part of what XState understands: states in states, but none beside each other.
 */
export interface Chart<Context extends object, Input, Event extends { type: string }> {
  readonly id: string
  readonly root: ChartState & { readonly initial: string }
  readonly context: (input: Input) => Context
  /** Changes of the context: what each returns replaces those fields. */
  readonly assigns: Readonly<Record<string, (context: Context, event: Event, params: never) => Partial<Context>>>
  readonly guards: Readonly<Record<string, (context: Context, event: Event) => boolean>>
  /** In ms. */
  readonly delays: Readonly<Record<string, (context: Context) => number>>
  /** The names of what the owner does. */
  readonly effects: readonly string[]
}

/** The event of that type, where an assign is reached by no other. */
export function eventOf<Event extends { type: string }, Type extends Event['type']>(
  event: Event,
  type: Type,
): Extract<Event, { type: Type }> {
  if (event.type === type) return event as Extract<Event, { type: Type }>
  throw new Error(`invariant broken: ${event.type} where only ${type} leads`)
}
