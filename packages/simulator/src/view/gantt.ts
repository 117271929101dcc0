import type { Seen } from './fold.ts'
import { TaskNumbers } from './task-numbers.ts'

/**
 * - `running`: the handler works at the end of what is shown.
 * - `returned`, `threw`: it ended by itself.
 * - `stopped`: it was told to stop and ended.
 * - `lost`: its machine went away.
 */
export type SpanEnd = 'running' | 'returned' | 'threw' | 'stopped' | 'lost'

/** One run of a handler. */
export interface GanttSpan {
  worker: string
  /** The lowest row of its worker that was free when it began, from 0. */
  slot: number
  id: string
  /** Such as `#12`. */
  task: string
  queue: string
  attempt: number
  fromMs: number
  /** Undefined while it runs. */
  untilMs: number | undefined
  /** When it was told to stop, if it was. */
  stopAtMs: number | undefined
  how: SpanEnd
  /** Another handler worked on the same task at the same time, or had already done it. */
  isDuplicate: boolean
}

export interface GanttView {
  fromMs: number
  untilMs: number
  /** All workers that have been up so far, with the rows that they need, at least one. */
  workers: readonly { name: string; rows: number }[]
  /** In the order of their beginnings. */
  spans: readonly GanttSpan[]
}

/** The attempts of all workers that touch this span of time. `before`: tasks submitted before the first observation. */
export function ganttOf(seen: readonly Seen[], fromMs: number, untilMs: number, before = 0): GanttView {
  const numbers = new TaskNumbers(seen, before)
  const spans: GanttSpan[] = []
  const rows = new Map<string, number>()
  const running = new Map<number, GanttSpan>()
  const done = new Set<string>()
  const end = (run: number, atMs: number, how: SpanEnd): void => {
    const span = running.get(run)
    if (span === undefined) return
    running.delete(run)
    span.untilMs = atMs
    span.how = how === 'lost' || span.stopAtMs === undefined ? how : 'stopped'
  }
  for (const one of seen) {
    if (one.atMs > untilMs) break
    switch (one.type) {
      case 'nodeStarted':
        if (one.node.startsWith('worker-') && !rows.has(one.node)) rows.set(one.node, 1)
        break
      case 'nodeStopped':
        for (const [run, { worker }] of running) if (worker === one.node) end(run, one.atMs, 'lost')
        break
      case 'handlerStarted': {
        const { id, queue, attempt, run, node: worker, atMs } = one
        const busy = [...running.values()]
        const slot = lowestFree(busy.filter((span) => span.worker === worker).map((span) => span.slot))
        rows.set(worker, Math.max(rows.get(worker) ?? 1, slot + 1))
        const isDuplicate = done.has(id) || busy.some((span) => span.id === id)
        const span: GanttSpan = {
          worker,
          slot,
          id,
          task: numbers.name(id),
          queue,
          attempt,
          fromMs: atMs,
          untilMs: undefined,
          stopAtMs: undefined,
          how: 'running',
          isDuplicate,
        }
        spans.push(span)
        running.set(run, span)
        break
      }
      case 'handlerAborted': {
        const span = running.get(one.run)
        if (span !== undefined) span.stopAtMs ??= one.atMs
        break
      }
      case 'handlerEnded':
        if (one.how === 'returned') done.add(one.id)
        end(one.run, one.atMs, one.how)
    }
  }
  return {
    fromMs,
    untilMs,
    workers: [...rows].map(([name, count]) => ({ name, rows: count })).sort((a, b) => byNumber(a.name, b.name)),
    spans: spans.filter((span) => (span.untilMs ?? untilMs) >= fromMs),
  }
}

function lowestFree(taken: readonly number[]): number {
  let slot = 0
  while (taken.includes(slot)) slot += 1
  return slot
}

function byNumber(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true })
}
