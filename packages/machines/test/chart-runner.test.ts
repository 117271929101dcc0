import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createActor, type StateValue } from 'xstate'
import {
  type Chart,
  ChartRunner,
  type ChartStep,
  CONNECTION,
  CONNECTION_TIMINGS,
  type ConnectionEvent,
  machineOf,
  PRODUCER,
  type ProducerEvent,
  WORKER,
  type WorkerEvent,
} from '../src/index.ts'
import { valueName } from '../src/paths.ts'

/** Timers that run when they are told to, the earliest first. */
class Timers {
  nowMs = 0
  #made = 0
  readonly #timers = new Map<number, { fn: () => void; dueMs: number }>()

  readonly set = (fn: () => void, ms: number): (() => void) => {
    this.#made += 1
    const key = this.#made
    this.#timers.set(key, { fn, dueMs: this.nowMs + ms })
    return () => this.#timers.delete(key)
  }

  get pending(): number[] {
    return [...this.#timers.values()].map(({ dueMs }) => dueMs - this.nowMs).sort((a, b) => a - b)
  }

  runFirst(): void {
    const [first] = [...this.#timers].sort(([, a], [, b]) => a.dueMs - b.dueMs)
    if (first === undefined) return
    this.#timers.delete(first[0])
    this.nowMs = first[1].dueMs
    first[1].fn()
  }
}

/** The same chart under both, told the same. */
function pair<Context extends object, Input, Event extends { type: string }>(
  chart: Chart<Context, Input, Event>,
  input: Input,
) {
  const [ours, theirs] = [new Timers(), new Timers()]
  const told = { ours: [] as unknown[], theirs: [] as unknown[] }
  const lastStates = new Map<unknown[], string>()
  /** XState tells of events that change nothing, too. */
  const tell = (list: unknown[], state: string, context: object): void => {
    const text = JSON.stringify([state, context])
    if (lastStates.get(list) !== text) list.push([state, { ...context }])
    lastStates.set(list, text)
  }
  const effectsOf = (list: unknown[]) =>
    Object.fromEntries(chart.effects.map((name) => [name, (params: unknown) => void list.push([name, params])]))
  const steps: ChartStep[] = []
  const runner = new ChartRunner(chart, input, {
    setTimer: ours.set,
    effects: effectsOf(told.ours),
    onStep: (step) => steps.push(step),
    onChange: (state, context) => tell(told.ours, state, context),
  })
  const effects = effectsOf(told.theirs)
  const machine = machineOf(chart).provide({
    actions: Object.fromEntries(
      chart.effects.map((name) => [name, (_: unknown, params: unknown) => effects[name]!(params ?? {})]),
    ),
  })
  const clock = { setTimeout: theirs.set, clearTimeout: (cancel: (() => void) | undefined) => cancel?.() }
  const actor = createActor(machine, { input, clock: clock as never } as never)
  actor.subscribe(({ value, context }) => tell(told.theirs, outermost(value), context))
  runner.start()
  actor.start()
  let at = valueName(actor.getSnapshot().value)
  return {
    send(event: Event | 'wait'): void {
      if (event === 'wait') {
        ours.runFirst()
        theirs.runFirst()
      } else {
        runner.send(event)
        // It would only warn.
        if (actor.getSnapshot().status === 'active') actor.send(event)
      }
    },
    check(): void {
      expect(told.ours).toEqual(told.theirs)
      expect(ours.pending).toEqual(theirs.pending)
      for (const { from, to } of steps) {
        expect(from).toBe(at)
        at = to
      }
      expect(at).toBe(valueName(actor.getSnapshot().value))
      steps.length = 0
      told.ours.length = 0
      told.theirs.length = 0
    },
  }
}

const outermost = (value: StateValue): string => (typeof value === 'string' ? value : Object.keys(value)[0]!)

/** Walks both along many random ways. */
function agree<Context extends object, Input, Event extends { type: string }>(
  chart: Chart<Context, Input, Event>,
  input: Input,
  events: readonly (Event | 'wait')[],
): void {
  const walk = fc.array(fc.constantFrom(...events), { maxLength: 40 })
  fc.assert(
    fc.property(walk, (sent) => {
      const both = pair(chart, input)
      for (const event of sent) both.send(event)
      both.check()
    }),
    { numRuns: 300 },
  )
}

describe('a running chart does what XState does with it: the same states, effects, contexts and timers', () => {
  test('a connection', () => {
    const events: (ConnectionEvent | 'wait')[] = [
      { type: 'start' },
      { type: 'opened' },
      { type: 'welcomed', session: 's' },
      { type: 'closed', code: 1006, reason: 'gone' },
      { type: 'closed', code: 4008, reason: '', error: { code: 'busy', message: 'full', retryAfterMs: 70 } },
      { type: 'silent' },
      { type: 'drain', retryAfterMs: 5 },
      { type: 'drained' },
      { type: 'wake' },
      'wait',
      'wait',
    ]
    agree(CONNECTION, { timings: CONNECTION_TIMINGS, random: () => 0.5 }, events)
    const last: ConnectionEvent[] = [{ type: 'stop' }, { type: 'closed', code: 4001, reason: '' }]
    agree(CONNECTION, { timings: CONNECTION_TIMINGS, random: () => 0.5 }, [...events, ...last])
  })

  test('a producer', () => {
    const events: (ProducerEvent | 'wait')[] = [
      { type: 'connected' },
      { type: 'disconnected' },
      { type: 'drain' },
      { type: 'close', drainMs: 50 },
      { type: 'close', drainMs: 0 },
      { type: 'flushed' },
      { type: 'fail' },
      'wait',
    ]
    agree(PRODUCER, undefined, events)
  })

  test('a worker', () => {
    const events: (WorkerEvent | 'wait')[] = [
      { type: 'connected' },
      { type: 'drain', graceMs: 30 },
      { type: 'emptied' },
      { type: 'close' },
      { type: 'fail' },
      'wait',
    ]
    agree(WORKER, { creditMax: 3, settleMs: 20 }, events)
  })
})

test('an event that comes from an effect waits until the step is complete', () => {
  const seen: string[] = []
  const runner: ChartRunner<object, undefined, { type: 'go' | 'on' }> = new ChartRunner(
    {
      id: 'eager',
      context: () => ({}),
      effects: ['push'],
      assigns: {},
      guards: {},
      delays: {},
      root: {
        initial: 'a',
        states: { a: { on: { go: { actions: 'push', target: 'b' } } }, b: { on: { on: 'c' } }, c: {} },
      },
    },
    undefined,
    {
      setTimer: () => () => {},
      effects: { push: () => runner.send({ type: 'on' }) },
      onChange: (state) => seen.push(state),
    },
  )
  runner.start()
  runner.send({ type: 'go' })
  expect(seen).toEqual(['a', 'b', 'c'])
})

test('an owner that listens is told of each event that the chart takes, and by which guard', () => {
  const timers = new Timers()
  const told: ChartStep[] = []
  const runner = new ChartRunner(
    CONNECTION,
    { timings: CONNECTION_TIMINGS, random: () => 0.5 },
    { setTimer: timers.set, effects: {}, onChange: () => {}, onStep: (step) => told.push(step) },
  )
  runner.start()
  const sent: ConnectionEvent[] = [
    { type: 'drained' },
    { type: 'start' },
    { type: 'closed', code: 1006, reason: '' },
    { type: 'wake' },
    { type: 'opened' },
    { type: 'welcomed', session: 's' },
  ]
  for (const event of sent) runner.send(event)
  timers.runFirst()
  runner.send({ type: 'closed', code: 4001, reason: '' })
  runner.send({ type: 'start' })
  expect(told).toEqual([
    { from: 'idle', to: 'connecting', event: 'start' },
    { from: 'connecting', to: 'backingOff', event: 'closed' },
    { from: 'backingOff', to: 'connecting', event: 'wake', guard: 'mayHurry' },
    { from: 'connecting', to: 'handshaking', event: 'opened' },
    { from: 'handshaking', to: 'ready.fresh', event: 'welcomed' },
    { from: 'ready.fresh', to: 'ready.stable', event: 'stableMs' },
    { from: 'ready.stable', to: 'failed', event: 'closed', guard: 'isFinal' },
  ])
})

test('an event that a state takes and stays in is told as well', () => {
  const told: ChartStep[] = []
  const runner = new ChartRunner(PRODUCER, undefined, {
    setTimer: () => () => {},
    effects: {},
    onChange: () => {},
    onStep: (step) => told.push(step),
  })
  runner.start()
  runner.send({ type: 'close', drainMs: 5 })
  runner.send({ type: 'close', drainMs: 9 })
  expect(told).toEqual([
    { from: 'offline', to: 'closing', event: 'close' },
    { from: 'closing', to: 'closing', event: 'close' },
  ])
})
