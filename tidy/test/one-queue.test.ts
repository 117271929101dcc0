import { expect, test } from 'vitest'
import { checkOneQueue } from '../src/one-queue.ts'
import { report } from '../src/tree.ts'

const page = 'packages/simulator/src/view/a.ts'
const found = (text: string, path = page) => report(checkOneQueue([{ path, text }]))

test.each([
  ['import { createMachine } from "xstate"', 'xstate'],
  ['import { decide } from "@sluice/engine"', '@sluice/engine'],
  ['await import("@sluice/broker/core")', '@sluice/broker/core'],
  ['import { createClient } from "@sluice/client"', '@sluice/client'],
  ['const machine = createMachine({})', 'createMachine'],
  ['new ChartRunner(chart, {}, owner)', 'ChartRunner'],
])('in the page, %s is refused', (text, what) => {
  expect(found(text).join()).toContain(what)
})

test('what was observed may be shown, and others may make machines', () => {
  expect(found('import type { Observation } from "@sluice/world"\nexport const setUp = 1')).toEqual([])
  expect(found('import { createMachine } from "xstate"', 'packages/machines/src/a.ts')).toEqual([])
})
