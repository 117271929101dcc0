import { faultText } from '@sluice/world'
import type { Seen } from './fold.ts'
import { ganttOf } from './gantt.ts'
import { TaskNumbers } from './task-numbers.ts'
import { changeText } from './words.ts'

/** One event of the Trace Event Format, which Perfetto and chrome://tracing open. Times are in µs. */
export interface ChromeEvent {
  name: string
  ph: 'X' | 'i' | 'M'
  ts: number
  pid: number
  tid: number
  dur?: number
  /** Of an instant: it concerns its thread or everything. */
  s?: 't' | 'g'
  cat?: string
  args?: Record<string, unknown>
}

/** The row of a machine's messages. Its slots come after it. */
const WIRE_ROW = 0

/**
 * A machine is a process, a slot of a worker is a thread. Attempts are spans; messages, faults and changes by hand are
 * instants. `before`: tasks submitted before the first observation.
 */
export function chromeTraceOf(seen: readonly Seen[], untilMs: number, before = 0): ChromeEvent[] {
  const machines = new Map<string, number>()
  const events: ChromeEvent[] = []
  const pidOf = (node: string): number => {
    const known = machines.get(node)
    if (known !== undefined) return known
    const pid = machines.size + 1
    machines.set(node, pid)
    events.push(named('process_name', node, pid, WIRE_ROW), named('thread_name', 'messages', pid, WIRE_ROW))
    return pid
  }
  const instant = (atMs: number, node: string, name: string, s: 't' | 'g', cat: string, args = {}): void => {
    events.push({ name, ph: 'i', ts: atMs * 1000, pid: pidOf(node), tid: WIRE_ROW, s, cat, args })
  }
  pidOf('broker')
  const { workers, spans } = ganttOf(seen, 0, untilMs, before)
  for (const { name, rows } of workers)
    for (let slot = 0; slot < rows; slot += 1)
      events.push(named('thread_name', `slot ${slot + 1}`, pidOf(name), slot + 1))
  for (const { worker, slot, id, task, queue, attempt, fromMs, untilMs: endMs = untilMs, how, isDuplicate } of spans)
    events.push({
      name: `${task}${attempt > 1 ? `, attempt ${attempt}` : ''}`,
      ph: 'X',
      ts: fromMs * 1000,
      dur: (endMs - fromMs) * 1000,
      pid: pidOf(worker),
      tid: slot + 1,
      cat: queue,
      args: { id, attempt, how, isDuplicate },
    })
  const numbers = new TaskNumbers(seen, before)
  for (const one of seen) {
    if (one.atMs > untilMs) break
    switch (one.type) {
      case 'faultStarted':
        instant(one.atMs, 'node' in one.fault ? one.fault.node : 'broker', faultText(one.fault), 'g', 'fault')
        break
      case 'changed':
        instant(one.atMs, 'broker', changeText(one.change), 'g', 'change')
        break
      case 'nodeStarted':
        instant(one.atMs, one.node, 'starts', 't', 'machine', { incarnation: one.incarnation })
        break
      case 'nodeStopped':
        instant(one.atMs, one.node, `stops: ${one.how}`, 't', 'machine', { reason: one.reason })
        break
      case 'submitting':
        instant(one.atMs, one.node, `submits ${numbers.name(one.id)}`, 't', 'task', { id: one.id })
        break
      case 'sentToBroker':
        instant(one.atMs, one.node, `sends ${one.message.type}`, 't', 'message', one.message as object)
        break
      case 'heardByBroker':
        instant(one.atMs, 'broker', `hears ${one.message.type} of ${one.node}`, 't', 'message')
        break
      case 'sentByBroker':
        instant(one.atMs, 'broker', `sends ${one.message.type} to ${one.node}`, 't', 'message', one.message as object)
        break
      case 'heardByNode':
        instant(one.atMs, one.node, `hears ${one.message.type}`, 't', 'message')
    }
  }
  return events
}

function named(name: string, value: string, pid: number, tid: number): ChromeEvent {
  return { name, ph: 'M', ts: 0, pid, tid, args: { name: value } }
}
