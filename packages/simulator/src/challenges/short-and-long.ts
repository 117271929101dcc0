import { latenciesOf, quantile, submissionsOf } from '@sluice/world/phenomena'
import { bodyBytes, exactly, scene } from '../lessons/scene.ts'
import type { Challenge } from './challenge.ts'
import { workersKnob } from './knobs.ts'

const worker = {
  concurrency: 1,
  prefetch: 0,
  service: { pages: { ms: exactly(100) }, books: { ms: exactly(3000) } },
}
const count = { unit: 'workers', min: 0, max: 4, cost: 1, free: 0 }

export const shortAndLong: Challenge<'pagesMs' | 'booksMs'> = {
  name: 'short-and-long',
  title: 'Pages and books',
  text: [
    'A copy shop has a line for pages and one for books. A page takes a tenth of a second, and a book three.',
    'There is money for four machines. Some may do everything, and some only pages or only books.',
  ],
  scenario: {
    ...scene,
    name: 'pages and books',
    durationMs: 60_000,
    settleMs: 40_000,
    producers: [
      { count: 1, arrivals: { kind: 'poisson', rate: 2.5 }, tasks: [{ queue: 'pages', weight: 1, bodyBytes }] },
      { count: 1, arrivals: { kind: 'poisson', rate: 0.45 }, tasks: [{ queue: 'books', weight: 1, bodyBytes }] },
    ],
    workers: [
      { ...worker, count: 3, queues: ['pages', 'books'] },
      { ...worker, count: 0, queues: ['pages'] },
      { ...worker, count: 0, queues: ['books'] },
    ],
  },
  knobs: [
    workersKnob(0, 'count', { ...count, label: 'machines for all' }),
    workersKnob(1, 'count', { ...count, label: 'machines for pages only' }),
    workersKnob(2, 'count', { ...count, label: 'machines for books only' }),
  ],
  budget: 4,
  seeds: [1, 2, 3, 4, 5],
  looksAt: ['submitting', 'accepted', 'outcome'],
  measure(seen) {
    const submissions = submissionsOf(seen)
    const p95 = (name: string): number => quantile(latenciesOf(submissions.filter(({ queue }) => queue === name)), 0.95)
    return { pagesMs: p95('pages'), booksMs: p95('books') }
  },
  figures: {
    pagesMs: 'time in ms within which 95 of 100 pages are done',
    booksMs: '… 95 of 100 books',
  },
  goals: [
    { text: '95 of 100 pages are done within 0.7 seconds.', holds: ({ pagesMs }) => pagesMs <= 700 },
    { text: '95 of 100 books are done within eight seconds.', holds: ({ booksMs }) => booksMs <= 8000 },
  ],
  solution: [3, 1, 0],
}
