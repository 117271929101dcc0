import type { Chart, ChartAction, ChartState, ChartTransition, ChartTransitions } from './chart.ts'
import type { Transition } from './states.ts'

/** What a chart does, without the names of the chart and of its owner. */
export type ChartStep = Omit<Transition, 'machine' | 'id'>

/** What a running chart needs from its owner. */
export interface ChartOwner<Context> {
  setTimer(fn: () => void, ms: number): () => void
  /** By the names in the chart. Called in the order of the chart, before the new state is told. */
  effects: Readonly<Record<string, (params: never) => void>>
  /** Called after the start and after each event that the chart has processed. */
  onChange(state: string, context: Context): void
  /** Called for each event that the chart takes: after its effects, before `onChange`. */
  onStep?: ((step: ChartStep) => void) | undefined
}

/**
 * Runs a chart. It does what XState does with the same chart, and the tests of every owner walk both side by side. It is
 * a tenth of XState's size, which pages have to load.
 */
export class ChartRunner<Context extends object, Input, Event extends { type: string }> {
  readonly #chart: Chart<Context, Input, Event>
  readonly #owner: ChartOwner<Context>
  #context: Context
  /** The names of the active states, outermost first. */
  #path: string[] = []
  readonly #timers = new Map<ChartState, (() => void)[]>()
  /** Timers are set and cancelled when the step is complete. */
  #deferred: (() => void)[] = []
  readonly #events: (Event | Delayed)[] = []
  #isBusy = false

  constructor(chart: Chart<Context, Input, Event>, input: Input, owner: ChartOwner<Context>) {
    this.#chart = chart
    this.#owner = owner
    this.#context = chart.context(input)
  }

  /** The outermost active state. */
  get state(): string {
    return this.#path[0] ?? this.#chart.root.initial
  }

  get context(): Context {
    return this.#context
  }

  start(): void {
    this.#isBusy = true
    this.#enter([], this.#chart.root.initial, { type: 'start' } as Event)
    this.#settle()
    this.#isBusy = false
    this.#processAll()
  }

  /** Processes the event, or queues it if it comes from an effect or from `onChange`. */
  send(event: Event): void {
    this.#events.push(event)
    this.#processAll()
  }

  #processAll(): void {
    if (this.#isBusy) return
    this.#isBusy = true
    try {
      for (let event = this.#events.shift(); event !== undefined; event = this.#events.shift()) this.#process(event)
    } finally {
      this.#isBusy = false
    }
  }

  #process(event: Event | Delayed): void {
    const nodes = this.#nodes()
    // A chart that has ended handles no event.
    if (nodes.at(-1)?.type === 'final') return
    const found = 'state' in event ? this.#delayed(event, nodes) : this.#handled(event, nodes)
    if (found === undefined) return
    const { transition, depth } = found
    const { target, actions } = transition
    const own = event as Event
    const before = this.#path
    if (target !== undefined) {
      // A sibling replaces the state itself, a child what is in it.
      const from = target.startsWith('.') ? depth : depth - 1
      this.#leave(from)
      this.#act(actions, own)
      this.#enter(this.#path.slice(0, from), target.replace('.', ''), own)
    } else this.#act(actions, own)
    if (this.#owner.onStep !== undefined) this.#tell(before, event, transition)
    this.#settle()
  }

  #tell(before: readonly string[], event: Event | Delayed, { guard }: ChartTransition): void {
    const name = 'state' in event ? event.delay : event.type
    const step = { from: before.join('.'), to: this.#path.join('.'), event: name }
    this.#owner.onStep?.(guard === undefined ? step : { ...step, guard })
  }

  /** The innermost transition that is possible, and the number of active states down to the one that has it. */
  #handled(event: Event, nodes: readonly ChartState[]): Found | undefined {
    for (let depth = nodes.length - 1; depth >= 0; depth -= 1) {
      const transition = this.#possible(nodes[depth]!.on?.[event.type], event)
      if (transition !== undefined) return { transition, depth }
    }
    return undefined
  }

  #delayed({ state, delay }: Delayed, nodes: readonly ChartState[]): Found | undefined {
    const depth = nodes.indexOf(state)
    const transition = depth === -1 ? undefined : this.#possible(state.after?.[delay], { type: delay } as Event)
    return transition && { transition, depth }
  }

  #possible(transitions: ChartTransitions | undefined, event: Event): ChartTransition | undefined {
    if (transitions === undefined) return undefined
    if (typeof transitions === 'string') return { target: transitions }
    const { guards } = this.#chart
    const list = Array.isArray(transitions) ? transitions : [transitions as ChartTransition]
    return list.find(({ guard }) => guard === undefined || guards[guard]!(this.#context, event))
  }

  /** The root and the active states, outermost first. */
  #nodes(): ChartState[] {
    const nodes: ChartState[] = [this.#chart.root]
    for (const name of this.#path) nodes.push(nodes.at(-1)!.states![name]!)
    return nodes
  }

  /** Leaves every state below this depth, the innermost first. */
  #leave(depth: number): void {
    for (const node of this.#nodes()
      .slice(depth + 1)
      .reverse()) {
      const timers = this.#timers.get(node)
      if (timers !== undefined)
        this.#deferred.push(() => {
          for (const cancel of timers.splice(0)) cancel()
        })
      this.#timers.delete(node)
    }
  }

  #enter(parents: readonly string[], name: string, event: Event): void {
    this.#path = [...parents, name]
    const node = this.#nodes().at(-1)!
    this.#act(node.entry, event)
    const timers: (() => void)[] = []
    for (const delay of Object.keys(node.after ?? {})) {
      const ms = this.#chart.delays[delay]!(this.#context)
      this.#deferred.push(() => timers.push(this.#owner.setTimer(() => this.#pass(node, delay), ms)))
    }
    if (node.after !== undefined) this.#timers.set(node, timers)
    if (node.initial !== undefined) this.#enter(this.#path, node.initial, event)
  }

  #pass(state: ChartState, delay: string): void {
    this.#events.push({ state, delay })
    this.#processAll()
  }

  #act(actions: ChartState['entry'], event: Event): void {
    if (actions === undefined) return
    for (const action of (Array.isArray(actions) ? actions : [actions]) as readonly ChartAction[]) {
      const { type, params } = typeof action === 'string' ? { type: action, params: {} } : action
      const assign = this.#chart.assigns[type]
      if (assign !== undefined) this.#context = { ...this.#context, ...assign(this.#context, event, params as never) }
      else this.#owner.effects[type]?.(params as never)
    }
  }

  /** The step is complete: timers follow it, and then the owner is told. */
  #settle(): void {
    const deferred = this.#deferred
    this.#deferred = []
    for (const fn of deferred) fn()
    this.#owner.onChange(this.state, this.#context)
  }
}

interface Found {
  transition: ChartTransition
  depth: number
}

/** The delay of a state has passed. */
interface Delayed {
  state: ChartState
  delay: string
}
