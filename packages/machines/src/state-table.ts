/** For each state, the events that may happen and the state each one leads to. */
export type StateTable<State extends string, Event extends string> = Readonly<
  Record<State, Readonly<Partial<Record<Event, State>>>>
>

/**
 * The lookup that running code uses: one lookup, no allocation. It throws if the table has no such change, because
 * the caller then has a wrong idea of the state.
 */
export function stepsOf<State extends string, Event extends string>(
  subject: string,
  table: StateTable<State, Event>,
): (state: State, event: Event) => State {
  return (state, event) => {
    const next = table[state][event]
    if (next === undefined) throw new Error(`invariant broken: a ${subject} that is ${state} has no ${event}`)
    return next
  }
}

/** The same table as the states of a chart. A change from a state to itself leaves the state and enters it again. */
export function chartStatesOf<State extends string, Event extends string>(table: StateTable<State, Event>) {
  const states = Object.entries(table) as [State, Partial<Record<Event, State>>][]
  return Object.fromEntries(
    states.map(([state, changes]) => {
      const on = Object.fromEntries(
        Object.entries(changes).map(([event, target]) => [
          event,
          { target: target as State, reenter: target === state },
        ]),
      )
      return [state, Object.keys(changes).length === 0 ? { type: 'final' as const } : { on }]
    }),
  )
}
