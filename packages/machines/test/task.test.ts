import { type EventType, LIFECYCLE } from '@sluice/engine'
import { expect, test } from 'vitest'
import { transition } from 'xstate'
import { getShortestPaths } from 'xstate/graph'
import { type TaskChartEvent, taskMachine } from '../src/task.ts'

const table = LIFECYCLE as Record<string, Partial<Record<EventType, readonly string[]>>>
const states = Object.keys(table)
const types = [...new Set(states.flatMap((state) => Object.keys(table[state]!)))] as EventType[]

test('the chart takes exactly the steps that the lifecycle table has', () => {
  for (const from of states) {
    for (const type of types) {
      for (const to of states) {
        const snapshot = taskMachine.resolveState({ value: from, context: {} })
        const [next] = transition(taskMachine, snapshot, { type, to })
        const allowed = table[from]![type]?.includes(to) ?? false
        expect([from, type, next.value]).toEqual([from, type, allowed ? to : from])
      }
    }
  }
})

test('every state of a task can be reached, and every task can be forgotten', () => {
  const events: TaskChartEvent[] = types.flatMap((type) => states.map((to) => ({ type, to })))
  expect(new Set(getShortestPaths(taskMachine, { events }).map((path) => path.state.value))).toEqual(new Set(states))
  for (const start of states.filter((state) => state !== 'gone')) {
    const reached = new Set([start])
    for (const state of reached) for (const next of Object.values(table[state]!).flat()) reached.add(next)
    expect(reached).toContain('gone')
  }
})
