import { describe, expect, test } from 'vitest'
import { DEFINITIONS, hashOf } from '../../build/chart-definitions.ts'
import { activeStates, edgeOf } from '../../src/charts/layout.ts'
import { CHART_LAYOUTS } from '../../src/charts/layouts.ts'

interface Box {
  x: number
  y: number
  w: number
  h: number
}

function overlap(a: Box, b: Box): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h
}

describe.each(DEFINITIONS.map((definition) => ({ machine: definition.machine, definition })))(
  'the chart of $machine',
  ({ machine, definition }) => {
    const layout = CHART_LAYOUTS[machine]
    const { states, transitions } = definition

    test('is made from the machine that runs', () => {
      expect(layout.hash, `its definition has changed: run pnpm --filter @sluice/simulator run charts`).toBe(
        hashOf(definition),
      )
    })

    test('has a box for each state and nothing else', () => {
      const drawn = layout.nodes.filter(({ kind }) => kind !== 'group' && kind !== 'initial').map(({ id }) => id)
      expect(drawn.sort()).toEqual(states.map(({ id }) => id).sort())
    })

    test('has a line for each transition and nothing else', () => {
      const drawn = layout.edges.flatMap(({ sources, to, labels }) =>
        sources.flatMap((from) => labels.map(({ event, guard }) => `${from} ${event} ${guard ?? ''} ${to}`)),
      )
      expect(drawn.sort()).toEqual(
        transitions.map(({ from, to, event, guard }) => `${from} ${event} ${guard ?? ''} ${to}`).sort(),
      )
    })

    test('has a dot where it begins', () => {
      const begun = layout.edges.filter(({ sources }) => sources.length === 0).map(({ to }) => to)
      expect(begun.sort()).toEqual(
        states
          .filter(({ isInitial }) => isInitial)
          .map(({ id }) => id)
          .sort(),
      )
    })

    test('finds the line of each transition', () => {
      for (const { from, to, event, guard } of transitions) {
        const drawn = edgeOf(layout, { from, to, event, ...(guard === undefined ? {} : { guard }) })
        expect(drawn?.source).toBe(from)
        expect(drawn?.edge.to).toBe(to)
      }
    })

    test('can be read: no label lies on another one or on a state, and all is inside', () => {
      const labels = layout.edges.flatMap(({ at, labels: [first] }) =>
        at === undefined ? [] : [{ ...at, name: first!.event }],
      )
      const inmost = layout.nodes.filter(({ id }) => !layout.nodes.some(({ parent }) => parent === id))
      const crossed: string[] = []
      for (const [place, label] of labels.entries()) {
        for (const other of labels.slice(place + 1))
          if (overlap(label, other)) crossed.push(`${label.name} on ${other.name}`)
        for (const node of inmost) if (overlap(label, node)) crossed.push(`${label.name} on ${node.id}`)
        expect(label.x).toBeGreaterThanOrEqual(0)
        expect(label.x + label.w).toBeLessThanOrEqual(layout.w)
      }
      for (const label of labels) {
        // A line may touch the air around a text.
        const text = { x: label.x + 4, y: label.y + 3, w: label.w - 8, h: label.h - 6 }
        for (const { from, to, points } of layout.edges)
          for (const [place, [x, y]] of points.slice(1).entries()) {
            const [fromX, fromY] = points[place]!
            const line = {
              x: Math.min(x, fromX),
              y: Math.min(y, fromY),
              w: Math.abs(x - fromX),
              h: Math.abs(y - fromY),
            }
            if (overlap(text, line)) crossed.push(`${label.name} on the line from ${from} to ${to}`)
          }
      }
      expect(crossed).toEqual([])
      for (const { x, y, w, h } of layout.nodes) {
        expect(x).toBeGreaterThanOrEqual(0)
        expect(x + w).toBeLessThanOrEqual(layout.w)
        expect(y + h).toBeLessThanOrEqual(layout.h)
      }
    })

    test('has lines that begin and end at the edges of their boxes', () => {
      const boxes = new Map(layout.nodes.map((node) => [node.id, node]))
      for (const { from, to, points } of layout.edges) {
        for (const [id, [x, y]] of [
          [from, points[0]!],
          [to, points.at(-1)!],
        ] as const) {
          const box = boxes.get(id)!
          const isUpright = Math.abs(x - box.x) < 1 || Math.abs(x - box.x - box.w) < 1
          const isLevel = Math.abs(y - box.y) < 1 || Math.abs(y - box.y - box.h) < 1
          expect(isUpright || isLevel, `${from} → ${to}`).toBe(true)
        }
      }
    })
  },
)

test('what is around an active state is active, and so is the beginning of each region that did not move', () => {
  expect([...activeStates(CHART_LAYOUTS.connection, ['ready.stable'])]).toEqual(['ready', 'ready.stable'])
  expect([...activeStates(CHART_LAYOUTS.connection, ['ready'])]).toEqual(['ready', 'ready.fresh'])
  expect([...activeStates(CHART_LAYOUTS.task, ['leased'])]).toEqual(['leased'])
  expect([...activeStates(CHART_LAYOUTS.task, [])]).toEqual([])
  expect([...activeStates(CHART_LAYOUTS.session, ['connected.reading.paused'])].sort()).toEqual([
    'connected',
    'connected.delivery',
    'connected.delivery.flowing',
    'connected.reading',
    'connected.reading.paused',
    'connected.service',
    'connected.service.serving',
  ])
})

test('a transition of a state around the active one is found, and of two guards the right one', () => {
  const closed = { from: 'ready.stable', event: 'closed' }
  const drawn = edgeOf(CHART_LAYOUTS.connection, { ...closed, to: 'backingOff' })
  expect([drawn?.source, drawn?.edge.to]).toEqual(['ready', 'backingOff'])
  const refused = edgeOf(CHART_LAYOUTS.connection, { ...closed, to: 'failed', guard: 'isFinal' })
  expect([refused?.source, refused?.edge.to, refused?.label.guard]).toEqual(['ready', 'failed', 'isFinal'])
  expect(edgeOf(CHART_LAYOUTS.connection, { ...closed, to: 'failed' })).toBe(undefined)
})
