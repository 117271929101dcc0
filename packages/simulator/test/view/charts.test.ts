import { defaultScenario, type Observation, runWorld, type Scenario } from '@sluice/world'
import { beforeAll, expect, test } from 'vitest'
import { activeStates, edgeOf } from '../../src/charts/layout.ts'
import { CHART_LAYOUTS } from '../../src/charts/layouts.ts'
import { ChartsFold, transitionName } from '../../src/view/charts.ts'
import type { Seen } from '../../src/view/fold.ts'

type Told = Extract<Observation, { type: 'transition' }>

const scenario: Scenario = {
  ...defaultScenario,
  durationMs: 30_000,
  script: [
    { atMs: 8000, fault: { type: 'crash', node: 'worker-1', restartAfterMs: 500 } },
    { atMs: 15_000, fault: { type: 'powerLoss', restartAfterMs: 2000 } },
  ],
}

let seen: Seen[]

beforeAll(async () => {
  seen = []
  await runWorld(scenario, 1, { watchesTransitions: true, onObservation: (each) => seen.push(each as Seen) })
})

const isTold = (each: Observation): each is Told => each.type === 'transition'

function told(fields: Partial<Told>): Seen {
  return {
    type: 'transition',
    machine: 'task',
    node: 'broker',
    id: 'a',
    from: 'absent',
    to: 'ready',
    event: 'tasksAccepted',
    atMs: 0,
    ...fields,
  } as Seen
}

test('shows at each instant the state that each machine told last, and draws each transition', () => {
  const fold = new ChartsFold()
  const last = new Map<string, Told>()
  let compared = 0
  for (const each of seen) {
    fold.see(each)
    if (each.type === 'nodeStopped') for (const [key, { node }] of last) if (node === each.node) last.delete(key)
    if (!isTold(each)) continue
    last.set(`${each.machine} ${each.node} ${each.id}`, each)
    expect(edgeOf(CHART_LAYOUTS[each.machine], each), transitionName(each)).toBeDefined()
    if (each.atMs < 10_000 || each.atMs > 15_000) continue
    for (const [machine, { instances }] of Object.entries(fold.view(each.atMs).machines)) {
      for (const { node, id, active, last: taken } of instances) {
        const expected = last.get(`${machine} ${node} ${id}`)
        expect(taken).toMatchObject({ to: expected?.to, event: expected?.event, atMs: expected?.atMs })
        expect(active).toContain(expected?.to)
        compared += 1
      }
    }
  }
  expect(compared).toBeGreaterThan(100)
})

test('counts each transition, over all and for each instance', () => {
  const fold = new ChartsFold()
  const counted = new Map<string, number>()
  for (const each of seen) {
    fold.see(each)
    if (!isTold(each)) continue
    const key = `${each.machine} ${transitionName(each)}`
    counted.set(key, (counted.get(key) ?? 0) + 1)
  }
  const { machines } = fold.view(seen.at(-1)!.atMs)
  const shown = Object.entries(machines).flatMap(([machine, { counts }]) =>
    Object.entries(counts).map(([name, count]): [string, number] => [`${machine} ${name}`, count]),
  )
  expect(new Map(shown)).toEqual(counted)
  fold.see(told({ id: 'z' }))
  fold.see(told({ id: 'z', from: 'ready', to: 'leased', event: 'leasesGranted' }))
  fold.see(told({ id: 'z', from: 'leased', to: 'ready', event: 'attemptFailed' }))
  fold.see(told({ id: 'z', from: 'ready', to: 'leased', event: 'leasesGranted' }))
  const own = fold.view(0).machines.task.instances.find(({ id }) => id === 'z')
  expect(own?.counts).toEqual({
    'absent tasksAccepted ready': 1,
    'ready leasesGranted leased': 2,
    'leased attemptFailed ready': 1,
  })
})

test('the regions of a session move beside each other, and begin anew with each connection', () => {
  const fold = new ChartsFold()
  const see = (from: string, event: string, to: string) =>
    fold.see(told({ machine: 'session', id: 's', from, event, to }))
  const shown = () => {
    const [instance] = fold.view(0).machines.session.instances
    return [...activeStates(CHART_LAYOUTS.session, instance?.active ?? [])]
      .filter((id) => id.split('.').length === 3)
      .sort()
  }
  see('awaitingHello', 'open', 'connected')
  see('connected.reading.reading', 'overdraw', 'connected.reading.paused')
  see('connected.delivery.flowing', 'stall', 'connected.delivery.stalled')
  expect(shown()).toEqual(['connected.delivery.stalled', 'connected.reading.paused', 'connected.service.serving'])
  see('connected.reading.paused', 'answer', 'connected.reading.reading')
  expect(shown()).toEqual(['connected.delivery.stalled', 'connected.reading.reading', 'connected.service.serving'])
  see('connected', 'resume', 'connected')
  expect(shown()).toEqual(['connected.delivery.flowing', 'connected.reading.reading', 'connected.service.serving'])
  see('connected', 'lose', 'disconnected')
  expect(shown()).toEqual([])
})

test('what has ended leaves after a while, and what ran in a program leaves with it', () => {
  const fold = new ChartsFold()
  fold.see(told({ id: 'old', from: 'leased', to: 'succeeded', event: 'tasksSucceeded', atMs: 1000 }))
  fold.see(told({ id: 'waiting', atMs: 1000 }))
  fold.see(
    told({
      machine: 'workerSlot',
      node: 'worker-1',
      id: '7',
      from: 'queued',
      to: 'running',
      event: 'start',
      atMs: 1000,
    }),
  )
  const shown = (atMs: number) =>
    Object.values(fold.view(atMs).machines).flatMap(({ instances }) => instances.map(({ id }) => id))
  expect(shown(9000).sort()).toEqual(['7', 'old', 'waiting'])
  expect(shown(12_000)).not.toContain('old')
  fold.see({ type: 'nodeStopped', node: 'worker-1', how: 'crashed', atMs: 12_000 } as Seen)
  expect(shown(12_000)).toEqual(['waiting'])
})

test('keeps a bounded number of instances, the newest', () => {
  const fold = new ChartsFold()
  for (let i = 0; i < 5000; i += 1) fold.see(told({ id: `live ${i}` }))
  for (let i = 0; i < 5000; i += 1)
    fold.see(told({ id: `ended ${i}`, to: 'cancelled', event: 'taskCancelled', from: 'ready' }))
  const { instances } = fold.view(0).machines.task
  expect(instances).toHaveLength(2200)
  expect(instances[0]?.id).toBe('live 3000')
  expect(instances.at(-1)?.id).toBe('ended 4999')
  expect(fold.size).toBeLessThan(2300)
})

test('a copy goes on by itself, and shows the same after the same', () => {
  const half = Math.floor(seen.length / 2)
  const fold = new ChartsFold()
  for (const each of seen.slice(0, half)) fold.see(each)
  const before = JSON.stringify(fold.view(0))
  const copy = fold.copy()
  for (const each of seen.slice(half)) copy.see(each)
  expect(JSON.stringify(fold.view(0))).toBe(before)
  for (const each of seen.slice(half)) fold.see(each)
  expect(fold.view(0)).toEqual(copy.view(0))
})
