import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Task } from '../src/index.ts'
import { TaskTable } from '../src/task-table.ts'

function taskOf(id: string, seq: number): Task {
  return { id, seq, row: -1 } as unknown as Task
}

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ what: fc.constant('add' as const), skip: fc.constantFrom(0, 0, 0, 3, 256) }) },
  { weight: 3, arbitrary: fc.record({ what: fc.constantFrom('delete' as const, 'renew' as const), pick: fc.nat() }) },
)

test('it answers as maps of ids and of numbers would, in the order of storing', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 800, size: 'max' }), fc.integer(), (steps, seed) => {
      const table = new TaskTable(seed)
      const held = new Map<string, Task>()
      let seq = 1
      for (const one of steps) {
        if (one.what === 'add') {
          seq += one.skip
          const task = taskOf(`t${seq}`, seq)
          seq += 1
          table.add(task)
          held.set(task.id, task)
          continue
        }
        const task = [...held.values()][one.pick % Math.max(1, held.size)]
        if (!task) continue
        held.delete(task.id)
        if (one.what === 'delete') table.delete([task])
        else {
          table.renew(task)
          held.set(task.id, task)
        }
      }
      expect([...table.values()]).toEqual([...held.values()])
      expect(table.size).toBe(held.size)
      for (let n = 0; n <= seq; n += 1) {
        const task = held.get(`t${n}`)
        if (table.get(`t${n}`) !== task || table.numbered(n) !== task) throw new Error(`task ${n} is not found`)
      }
    }),
    { numRuns: 20 },
  )
})

test('ids that fall into one place of the table are told apart, and found when others of them are gone', () => {
  const table = new TaskTable(0)
  // As many ids as there are cells for them: many meet.
  const tasks = Array.from({ length: 256 }, (_, seq) => taskOf(`${seq * 7919}`, seq))
  for (const task of tasks) table.add(task)
  table.delete(tasks.filter(({ seq }) => seq % 3 === 0))
  for (const task of tasks) expect(table.get(task.id)).toBe(task.seq % 3 === 0 ? undefined : task)
})

test('a task whose place is taken by a much older one is found by its number, also once that one is gone', () => {
  const table = new TaskTable(0)
  const old = taskOf('old', 5)
  const young = taskOf('young', 5 + 256)
  table.add(old)
  table.add(young)
  expect([table.numbered(5), table.numbered(261)]).toEqual([old, young])
  table.delete([old])
  expect([table.numbered(5), table.numbered(261)]).toEqual([undefined, young])
  table.delete([young])
  expect([table.numbered(261), table.size]).toEqual([undefined, 0])
})

test('an id that is held is not added a second time', () => {
  const table = new TaskTable(0)
  table.add(taskOf('a', 1))
  expect(() => table.add(taskOf('a', 2))).toThrow('task a is accepted twice')
  expect(table.numbered(2)).toBeUndefined()
})
