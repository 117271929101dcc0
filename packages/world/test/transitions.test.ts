import { LIFECYCLE } from '@sluice/engine'
import {
  BROKER,
  connectionMachine,
  OUTBOX_ITEM,
  producerMachine,
  SESSION,
  SESSION_DELIVERY,
  SESSION_READING,
  SESSION_SERVICE,
  WORKER_SLOT,
  workerMachine,
} from '@sluice/machines'
import { transitionsFrom } from '@sluice/machines/paths'
import type { ObservedMachine } from '@sluice/machines/states'
import { beforeAll, describe, expect, test } from 'vitest'
import { defaultScenario, type Observation, type ObservationOf, runWorld, type Scenario } from '../src/index.ts'

type Told = ObservationOf<'transition'>
type Table = Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>

/** A world in which every chart moves, and everything breaks now and then. */
const scenario: Scenario = {
  ...defaultScenario,
  name: 'transitions',
  durationMs: 60_000,
  engine: { submitCredit: 20, graceMs: 3000 },
  faultRates: { crash: 20_000, restart: 20_000, pause: 20_000, reset: 5000, partition: 20_000, slowReader: 10_000 },
  workers: [
    ...defaultScenario.workers,
    {
      count: 1,
      queues: ['mail'],
      concurrency: 2,
      service: { mail: { ms: { kind: 'constant', value: 500 }, fails: 0.3, failsForGood: 0.1, progressEveryMs: 100 } },
    },
  ],
  producers: defaultScenario.producers.map((group) => ({ ...group, cancels: 0.2 })),
  browsers: defaultScenario.producers.map(({ arrivals, tasks }) => ({
    count: 1,
    tabs: 2,
    arrivals,
    tasks,
    cancels: 0.1,
    whenUnsaved: 'memory',
    storeMs: { kind: 'exponential', mean: 5 },
  })),
}

let seen: Observation[]
let told: Told[]

beforeAll(async () => {
  seen = []
  for (const seed of [1, 2]) {
    await runWorld(scenario, seed, { watchesTransitions: true, onObservation: (each) => seen.push(each) })
  }
  told = seen.filter((each) => each.type === 'transition')
})

const tables: Partial<Record<ObservedMachine, Table>> = {
  workerSlot: WORKER_SLOT,
  outboxItem: OUTBOX_ITEM,
  broker: BROKER,
  task: LIFECYCLE,
  session: {
    ...SESSION,
    ...regionOf('reading', SESSION_READING),
    ...regionOf('delivery', SESSION_DELIVERY),
    ...regionOf('service', SESSION_SERVICE),
  },
}

/** The transitions that a chart has in a state, as `state event target`. */
const charts: Partial<Record<ObservedMachine, (value: never) => string[]>> = {
  connection: (value) => transitionsFrom(connectionMachine.resolveState({ value, context: {} as never })),
  producer: (value) => transitionsFrom(producerMachine.resolveState({ value, context: {} as never })),
  worker: (value) => transitionsFrom(workerMachine.resolveState({ value, context: {} as never })),
}

const INITIAL: Record<ObservedMachine, string> = {
  connection: 'idle',
  producer: 'offline',
  worker: 'starting',
  workerSlot: 'idle',
  outboxItem: 'unsaved',
  session: 'awaitingHello',
  broker: 'starting',
  task: 'absent',
}

function regionOf(name: string, table: Table): Table {
  const at = (state: string) => `connected.${name}.${state}`
  const rows = Object.entries(table).map(([state, row]) => [
    at(state),
    Object.fromEntries(Object.entries(row).map(([event, to]) => [event, at(to as string)])),
  ])
  return Object.fromEntries(rows)
}

/** Whether the definition has this transition. */
function isDefined({ machine, from, to, event }: Told): boolean {
  const table = tables[machine]
  if (table !== undefined) return [table[from]?.[event] ?? []].flat().includes(to)
  const names = from.split('.')
  const value = names.slice(0, -1).reduceRight<unknown>((inner, name) => ({ [name]: inner }), names.at(-1))
  return (charts[machine]?.(value as never) ?? []).some((name) => {
    const [, type = '', target = ''] = name.split(' ')
    const own = type.startsWith('xstate.after.') ? type.split('.')[2] : type
    return own === event && (target === '(stays)' ? to === from : `${to}.`.startsWith(`${target}.`))
  })
}

/** Which chart of which instance. The regions of a session move beside it. */
function keyOf({ machine, node, id, from }: Told): string {
  const region = machine === 'session' ? from.split('.')[1] : undefined
  return [machine, node, id, region ?? ''].join(' ')
}

/** The transitions of one instance that do not go on from where it was. */
function breaks(machine: ObservedMachine): string[] {
  const at = new Map<string, string>()
  const found: string[] = []
  for (const each of seen) {
    // The next life of a program begins in the states that it finds.
    if (each.type === 'worldStarted') at.clear()
    if (each.type === 'nodeStopped')
      for (const key of [...at.keys()]) if (key.split(' ')[1] === each.node) at.delete(key)
    if (each.type !== 'transition' || each.machine !== machine) continue
    const key = keyOf(each)
    const was = at.get(key)
    // A tab takes up an item as it is stored, and another tab may have stored it.
    const isTakenUp = machine === 'outboxItem' && (each.from === 'accepted' || each.from === 'cancelling')
    if (was !== undefined && was !== each.from && !isTakenUp)
      found.push(`${key}: ${was}, then ${each.event} from ${each.from}`)
    // Each connection starts the regions of its session anew.
    if (machine === 'session' && !each.to.includes('.'))
      for (const region of ['reading', 'delivery', 'service']) at.delete(`${key}${region}`)
    at.set(key, each.to)
  }
  return found
}

const MACHINES = Object.keys(INITIAL) as ObservedMachine[]

describe.each(MACHINES)('the transitions of a %s', (machine) => {
  test('are all in its definition', () => {
    const own = told.filter((each) => each.machine === machine)
    expect(own.length).toBeGreaterThan(1)
    expect(own.filter((each) => !isDefined(each))).toEqual([])
    expect(own.some(({ from }) => from === INITIAL[machine])).toBe(true)
  })

  test('are a path for each instance', () => {
    expect(breaks(machine)).toEqual([])
  })
})

test('the guard of a transition is told where the chart has several for one event', () => {
  const closed = told.filter(({ machine, event }) => machine === 'connection' && event === 'wake')
  for (const { guard } of closed) expect(guard).toBe('mayHurry')
  expect(
    told.every(({ machine, event, guard }) => guard === undefined || (machine === 'connection' && event !== 'opened')),
  ).toBe(true)
})

test('a run is the same whether or not its transitions are watched', async () => {
  const { hash, observations, counts } = await runWorld(scenario, 3)
  const types = new Set<string>()
  const watched = await runWorld(scenario, 3, {
    watchesTransitions: true,
    onObservation: ({ type }) => types.add(type),
  })
  expect(types).toContain('transition')
  expect({ ...watched, counts: watched.counts }).toMatchObject({ hash, observations, counts })
})

test('nothing is told where nobody watches', async () => {
  const types = new Set<string>()
  await runWorld({ ...scenario, durationMs: 5000 }, 1, { onObservation: ({ type }) => types.add(type) })
  expect(types).not.toContain('transition')
})
