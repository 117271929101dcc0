import fc from 'fast-check'
import { expect, test } from 'vitest'
import { IndexedHeap } from '../src/indexed-heap.ts'

interface Item {
  key: number
  order: number
  heapIndex: number
}

const before = (a: Item, b: Item) => a.key < b.key || (a.key === b.key && a.order < b.order)

test('under any pushes, removals and changes the first two are those of a sorted list', () => {
  const step = fc.record({
    what: fc.constantFrom('push', 'push', 'remove', 'update', 'pop'),
    key: fc.nat(20),
    at: fc.nat(),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const heap = new IndexedHeap<Item>(before)
      const items: Item[] = []
      steps.forEach(({ what, key, at }, order) => {
        const item = items[at % Math.max(1, items.length)]
        if (what === 'push') {
          const pushed = { key, order, heapIndex: -1 }
          items.push(pushed)
          heap.push(pushed)
        } else if (item && what === 'update') {
          item.key = key
          heap.update(item)
        } else if (item) {
          const gone = what === 'pop' ? (heap.peek() as Item) : item
          heap.remove(gone)
          items.splice(items.indexOf(gone), 1)
          expect(heap.has(gone)).toBe(false)
        }
        const sorted = items.toSorted((a, b) => (before(a, b) ? -1 : 1))
        expect([heap.size, heap.peek(), heap.second()]).toEqual([items.length, sorted[0], sorted[1]])
      })
    }),
    { numRuns: 300 },
  )
})

test('removing what is in no heap changes nothing', () => {
  const heap = new IndexedHeap<Item>(before)
  heap.push({ key: 1, order: 1, heapIndex: -1 })
  heap.remove({ key: 2, order: 2, heapIndex: -1 })
  expect(heap.size).toBe(1)
})
