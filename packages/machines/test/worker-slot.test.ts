import { expect, test } from 'vitest'
import { createActor } from 'xstate'
import { nextSlotState, type SlotEvent, type SlotState, WORKER_SLOT, workerSlotMachine } from '../src/index.ts'

const states = Object.keys(WORKER_SLOT) as SlotState[]
const events = [...new Set(Object.values(WORKER_SLOT).flatMap((on) => Object.keys(on)))] as SlotEvent[]

test('the machine and the lookup agree on every state and event', () => {
  for (const state of states) {
    for (const type of events) {
      const actor = createActor(workerSlotMachine, {
        id: 'slot',
        snapshot: workerSlotMachine.resolveState({ value: state, context: {} }),
      }).start()
      actor.send({ type })
      const machine = actor.getSnapshot().value
      const table = WORKER_SLOT[state] as Partial<Record<SlotEvent, SlotState>>
      if (table[type] === undefined) {
        expect(() => nextSlotState(state, type)).toThrow(`${state} has no ${type}`)
        expect(machine).toBe(state)
      } else {
        expect(nextSlotState(state, type)).toBe(machine)
      }
    }
  }
})

test('a slot can be freed from every state', () => {
  for (const start of states) {
    const reached = new Set<SlotState>([start])
    for (const state of reached) for (const next of Object.values(WORKER_SLOT[state])) reached.add(next)
    expect(reached).toContain('idle')
  }
})
