import { expect, test } from 'vitest'
import { Discarding } from '../../src/checkers/discarding.ts'
import { accepted, cancelled, forgotten, Stream } from './stream.ts'

/** A broker that has kept a task for this many batches. */
const after = (batches: number, isKept: boolean) => {
  const stream = new Stream((sources) => new Discarding(sources), { hosting: { compactEveryMs: 100 } })
  stream.see({ type: 'nodeStarted', node: 'broker', incarnation: 1 }).append(accepted('t1'), cancelled('t1'))
  if (!isKept) stream.append(forgotten('t1'))
  for (let batch = 0; batch < batches; batch += 1) stream.append()
  return stream
}
const discarded = (before: number) => ({ type: 'discarded', before }) as const

test('[HOST-15] batches that hold nothing of use are discarded', () => {
  expect(after(600, false).after(2301).append().said).toEqual([
    'the journal begins with batch 1, and nothing that is kept is in one before 603',
  ])
  expect(after(600, false).after(2300).append().said).toEqual([])
  expect(after(600, false).see(discarded(500)).after(9000).append().said).toEqual([])
})

test('[HOST-15] but none that holds what is kept, and none while something keeps the broker from it', () => {
  expect(after(600, true).after(9000).append().said).toEqual([])
  const pause = { type: 'faultStarted', fault: { type: 'pause', node: 'broker', forMs: 9 }, number: 1 } as const
  expect(after(600, false).see(pause).after(9000).append().said).toEqual([])
})
