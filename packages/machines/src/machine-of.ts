import {
  assign,
  type EventObject,
  type MetaObject,
  type NonReducibleUnknown,
  type ParameterizedObject,
  type StateMachine,
  type StateValue,
  setup,
} from 'xstate'
import type { Chart } from './chart.ts'

/** What XState makes of a chart. */
export type MachineOf<Context extends object, Input, Event extends { type: string }> = StateMachine<
  Context & Record<string, unknown>,
  Event,
  Record<string, undefined>,
  never,
  ParameterizedObject,
  ParameterizedObject,
  string,
  StateValue,
  string,
  Input,
  NonReducibleUnknown,
  EventObject,
  MetaObject,
  // biome-ignore lint/suspicious/noExplicitAny: XState's own name for any configuration
  any
>

/** The same chart for XState, which draws it and walks its paths. */
export function machineOf<Context extends object, Input, Event extends { type: string }>(
  chart: Chart<Context, Input, Event>,
): MachineOf<Context, Input, Event> {
  const { id, root, context, assigns, guards, delays, effects } = chart
  type Arguments = { context: Context; event: Event }
  const machine = setup({
    types: {} as { context: Context; input: Input; events: Event },
    actions: {
      ...Object.fromEntries(effects.map((name) => [name, () => {}])),
      ...mapped(assigns, (fn) =>
        assign((args: Arguments, params: never) => fn(args.context, args.event, params) as never),
      ),
    } as never,
    guards: mapped(guards, (fn) => (args: Arguments) => fn(args.context, args.event)) as never,
    delays: mapped(delays, (fn) => (args: Arguments) => fn(args.context)) as never,
  }).createMachine({ ...root, id, context: ({ input }: { input: Input }) => context(input) } as never)
  return machine as unknown as MachineOf<Context, Input, Event>
}

function mapped<T, U>(of: Readonly<Record<string, T>>, fn: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(of).map(([name, value]) => [name, fn(value)]))
}
