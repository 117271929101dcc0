import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Task } from '../src/index.ts'
import { LeaseTable } from '../src/lease-table.ts'

function leased(lease: number): Task {
  return { lease } as unknown as Task
}

test('it answers as a map of leases would, the longest held first, however far apart the leases are', () => {
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ skip: fc.constantFrom(0, 0, 1, 15, 16, 10_000_000_000) }) },
    { weight: 2, arbitrary: fc.record({ pick: fc.nat() }) },
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300, size: 'max' }), (steps) => {
      const table = new LeaseTable()
      const held = new Map<number, Task>()
      let lease = 1
      for (const one of steps) {
        if ('skip' in one) {
          lease += 1 + one.skip
          const task = leased(lease)
          table.add(task, lease)
          held.set(lease, task)
          continue
        }
        const picked = [...held][one.pick % Math.max(1, held.size)]
        if (!picked) continue
        table.delete(picked[1], picked[0])
        held.delete(picked[0])
        if (table.has(picked[0])) throw new Error('a lease is held after its end')
      }
      expect([...table]).toEqual([...held])
      expect([table.keys(), table.values(), table.size]).toEqual([[...held.keys()], [...held.values()], held.size])
      for (const [lease, task] of held) if (table.get(lease) !== task) throw new Error(`lease ${lease} is not found`)
    }),
    { numRuns: 100 },
  )
})

test('a lease that was never held is not found, whoever lies in its place', () => {
  const table = new LeaseTable()
  expect(table.get(3)).toBeUndefined()
  table.add(leased(3), 3)
  expect([table.get(19), table.has(19), table.has(3)]).toEqual([undefined, false, true])
})
