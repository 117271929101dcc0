import { type Fault, faultText } from '@sluice/world'
import type { Seen } from './fold.ts'
import { TaskNumbers } from './task-numbers.ts'
import {
  changeText,
  countText,
  deadText,
  listText,
  numberText,
  reasonText,
  sentence,
  spanText,
  stopText,
} from './words.ts'

/** `routine`: it happens all the time. `trouble`: something goes wrong. */
export type Weight = 'routine' | 'notable' | 'trouble'

/** Something that a person who watches would tell. */
export interface Happening {
  /** Stays the same while more of the same is added. */
  key: string
  fromMs: number
  /** When the last of what it tells happened. */
  untilMs: number
  times: number
  weight: Weight
  text: string
  /** The tasks that it is about, at most the first ten, with the names that the text uses. */
  tasks: readonly { id: string; task: string }[]
}

/**
 * What of the same kind happens to the same part within a span of this length is one happening. Spans are those of the
 * run's clock, so that the same is told wherever one begins to look.
 */
const TOGETHER_MS = 2000
const TASKS_MAX = 10
/** So many observations are looked at first. */
const LOOK_BACK = 4000

/** What happened once, before it is put together with more of the same. */
interface Raw {
  kind: string
  actor: string
  weight: Weight
  ids: readonly string[]
  /** How often, if the ids do not say it. */
  times?: number
  /** `tasks` names the tasks or says how many, `span` is empty or such as ` in 1.8 s`. */
  text: (tasks: string, span: string, times: number) => string
}

interface Open extends Raw {
  fromMs: number
  untilMs: number
  ids: string[]
  times: number
}

/**
 * The last notable happenings up to this instant, in plain words, the newest last. `before`: tasks submitted before the
 * first observation. `landmarks`: the observations among which submissions and faults are looked for, if there is a
 * shorter list.
 */
export function narrationOf(
  seen: readonly Seen[],
  untilMs: number,
  count: number,
  before = 0,
  landmarks = seen,
): Happening[] {
  const known: Known = { numbers: new TaskNumbers(landmarks, before), faults: faultsOf(landmarks) }
  let end = seen.length
  while (end > 0 && (seen[end - 1] as Seen).atMs > untilMs) end -= 1
  for (let looked = LOOK_BACK; ; looked *= 4) {
    const from = Math.max(0, end - looked)
    const found = told(seen, from, end, known)
    // What began before the first observation that was looked at may be told by half.
    const startMs = from === 0 ? 0 : (spanOf((seen[from] as Seen).atMs) + 1) * TOGETHER_MS
    const whole = found.filter(({ fromMs }) => fromMs >= startMs)
    if (whole.length >= count || from === 0) return whole.slice(-count)
  }
}

interface Known {
  numbers: TaskNumbers
  faults: ReadonlyMap<number, Fault>
}

function faultsOf(seen: readonly Seen[]): Map<number, Fault> {
  const faults = new Map<number, Fault>()
  for (const one of seen) if (one.type === 'faultStarted') faults.set(one.number, one.fault)
  return faults
}

/** Faults that end a machine, which is told as such. */
const ENDS: ReadonlySet<Fault['type']> = new Set<Fault['type']>(['crash', 'restart', 'powerLoss', 'deviceCrash'])

function told(seen: readonly Seen[], from: number, end: number, known: Known): Happening[] {
  const { numbers } = known
  const down = new Set<string>()
  const all: Open[] = []
  const open = new Map<string, Open>()
  for (let i = from; i < end; i += 1) {
    const one = seen[i] as Seen
    if (one.type === 'nodeStopped') down.add(one.node)
    else if (one.type === 'nodeStarted') down.delete(one.node)
    // A machine that is gone has no connections: that goes without saying.
    if (one.type === 'disconnected' && down.has(one.node)) continue
    for (const raw of rawOf(one, known)) {
      const key = `${raw.kind} ${raw.actor} ${spanOf(one.atMs)}`
      const last = open.get(key)
      const times = raw.times ?? Math.max(1, raw.ids.length)
      if (last !== undefined) {
        last.untilMs = one.atMs
        last.times += times
        last.ids.push(...raw.ids)
        // Of several alike the last one's words count, such as how often a task was tried.
        last.text = raw.text
      } else {
        const happening: Open = { ...raw, fromMs: one.atMs, untilMs: one.atMs, ids: [...raw.ids], times }
        open.set(key, happening)
        all.push(happening)
      }
    }
  }
  return all.map(({ kind, actor, weight, ids, times, text, fromMs, untilMs }) => ({
    key: `${kind} ${actor} ${fromMs}`,
    fromMs,
    untilMs,
    times,
    weight,
    text: sentence(
      text(tasksText(ids, numbers), untilMs - fromMs < 100 ? '' : ` in ${spanText(untilMs - fromMs)}`, times),
    ),
    tasks: shown(byNumber([...new Set(ids)], numbers)).map((id) => ({ id, task: numbers.name(id) })),
  }))
}

function byNumber(ids: readonly string[], numbers: TaskNumbers): string[] {
  return ids.toSorted((a, b) => (numbers.of(a)?.number ?? 0) - (numbers.of(b)?.number ?? 0))
}

/** The first ones, and the last one, which the text names as well. */
function shown(ids: readonly string[]): readonly string[] {
  return ids.length <= TASKS_MAX ? ids : [...ids.slice(0, TASKS_MAX - 1), ids.at(-1) as string]
}

function spanOf(atMs: number): number {
  return Math.floor(atMs / TOGETHER_MS)
}

/** Up to three tasks by name, or how many. */
function tasksText(ids: readonly string[], numbers: TaskNumbers): string {
  const different = byNumber([...new Set(ids)], numbers)
  return different.length <= 3
    ? listText(different.map((id) => numbers.name(id)))
    : `${countText(different.length, 'task')}, from ${numbers.name(different[0] as string)} to ${numbers.name(different.at(-1) as string)}`
}

function rawOf(seen: Seen, { numbers, faults }: Known): Raw[] {
  switch (seen.type) {
    case 'worldStarted':
      return [note('world', '', () => 'the run begins')]
    case 'changed':
      return [note('changed', String(seen.atMs), () => changeText(seen.change))]
    case 'faultStarted':
      // What a machine's end looks like is told when it ends.
      return ENDS.has(seen.fault.type) ? [] : [trouble('fault', String(seen.number), () => faultText(seen.fault))]
    case 'faultEnded': {
      const fault = faults.get(seen.number)
      if (fault === undefined || ENDS.has(fault.type)) return []
      return [note('faultEnded', String(seen.number), () => `it is over that ${faultText(fault)}`)]
    }
    case 'nodeStarted':
      return seen.incarnation === 1
        ? [{ ...note('started', '', (_, __, times) => `${countText(times, 'machine')} started`), weight: 'routine' }]
        : [note('startedAgain', seen.node, () => `${seen.node} starts again`)]
    case 'nodeStopped': {
      const text = () => `${seen.node} ${stopText(seen.how, seen.reason)}`
      return [seen.how === 'left' ? note('stopped', seen.node, text) : trouble('stopped', seen.node, text)]
    }
    case 'disconnected':
      // A normal end is told as the end of the machine.
      return seen.side === 'node' && seen.code !== 1000
        ? [trouble('disconnected', seen.node, () => `${seen.node} loses its connection`)]
        : []
    case 'recovered':
      return seen.incarnation === 1
        ? []
        : [note('recovered', 'broker', () => `the broker has read its journal up to batch ${seen.lastBatch}`)]
    case 'lost':
      return [
        trouble('lost', 'broker', () => `the journal ends before batch ${seen.fromBatch}: the disk had not kept it`),
      ]
    case 'leading':
      return [note('leading', seen.device, () => `${seen.node} now sends for all tabs of ${seen.device}`)]
    case 'submitting':
      return [routine('submit', seen.node, [seen.id], (tasks, span) => `${seen.node} submits ${tasks}${span}`)]
    case 'refused':
      return [
        {
          ...trouble('refused', seen.node, (tasks) => `${seen.node} is refused ${tasks}: ${seen.error.message}`),
          ids: [seen.id],
        },
      ]
    case 'unsaved':
      return [
        {
          ...trouble('unsaved', seen.node, (tasks) => `${seen.node} cannot save ${tasks}: ${seen.code}`),
          ids: [seen.id],
        },
      ]
    case 'saved':
      return [
        routine('saved', seen.node, [seen.id], (tasks, span) =>
          seen.isSaved
            ? `${seen.node} saves ${tasks} on its device${span}`
            : `${seen.node} keeps ${tasks} in memory only`,
        ),
      ]
    case 'cancelling':
      return [{ ...note('cancel', seen.node, (tasks) => `${seen.node} asks to cancel ${tasks}`), ids: [seen.id] }]
    case 'heardByNode':
      return busyOf(seen)
    case 'handlerStarted':
      return seen.attempt === 1
        ? [routine('begin', seen.node, [seen.id], (tasks, span) => `${seen.node} begins ${tasks}${span}`)]
        : [
            {
              ...note('beginAgain', seen.node, (tasks, span, times) =>
                times === 1
                  ? `${seen.node} begins ${tasks} again, attempt ${seen.attempt}`
                  : `${seen.node} begins ${tasks} again${span}`,
              ),
              ids: [seen.id],
            },
          ]
    case 'handlerAborted':
      return [
        {
          ...trouble('abort', seen.node, (tasks) => `${seen.node} stops ${tasks}: ${reasonText(seen.reason)}`),
          ids: [seen.id],
        },
      ]
    case 'outcome':
      return outcomeOf(seen, numbers)
    case 'appending':
      return seen.events.flatMap((event) => eventOf(event))
    default:
      return []
  }
}

function busyOf({ node, message }: Extract<Seen, { type: 'heardByNode' }>): Raw[] {
  if (message.type !== 'submitted') return []
  const times = message.refused.filter(({ error }) => error.code === 'busy').length
  if (times === 0) return []
  return [
    {
      ...trouble('busy', node, (_, span, all) =>
        all === 1 ? `${node} is told busy` : `${node} is told busy ${numberText(all)} times${span}`,
      ),
      times,
    },
  ]
}

function outcomeOf({ node, id, status, atMs }: Extract<Seen, { type: 'outcome' }>, numbers: TaskNumbers): Raw[] {
  const first = numbers.of(id)
  const after = first === undefined ? '' : `, ${spanText(atMs - first.atMs)} after it was submitted`
  if (status === 'succeeded')
    return [
      routine('succeeded', node, [id], (tasks, span, times) =>
        times === 1 ? `${node} has the result of ${tasks}${after}` : `${node} has the results of ${tasks}${span}`,
      ),
    ]
  const raw = { kind: status, actor: node, ids: [id] }
  return status === 'cancelled'
    ? [{ ...raw, weight: 'notable', text: (tasks) => `${node} knows that ${tasks} ${areOr(tasks)} cancelled` }]
    : [{ ...raw, weight: 'trouble', text: (tasks) => `${node} is told that ${tasks} failed for good` }]
}

function areOr(tasks: string): string {
  return tasks.includes(' ') ? 'are' : 'is'
}

/** Decisions of the broker that producers and workers do not show. */
function eventOf(event: Extract<Seen, { type: 'appending' }>['events'][number]): Raw[] {
  switch (event.type) {
    case 'attemptFailed': {
      const { id, attempt, retryAtMs, atMs } = event
      const wait = retryAtMs <= atMs ? 'at once' : `in ${spanText(retryAtMs - atMs)}`
      if (attempt.how === 'failed')
        return [
          {
            ...note('failed', 'broker', (tasks, span, times) =>
              times === 1
                ? `attempt ${attempt.attempt} of ${tasks} failed; the next one comes ${wait}`
                : `${countText(times, 'attempt')} failed${span}; ${tasks} will be tried again`,
            ),
            ids: [id],
          },
        ]
      return [lossOf(attempt.how, id, (tasks) => `; ${tasks.includes(' ') ? 'they are' : 'it is'} delivered again`)]
    }
    case 'leaseReleased':
      return event.lost === undefined
        ? [{ ...note('released', 'broker', (tasks) => `${tasks} ${areOr(tasks)} handed back`), ids: [event.id] }]
        : [
            {
              ...lossOf(event.lost, event.id, () => ' before a handler began'),
              kind: 'lostUnbegun',
            },
          ]
    case 'taskDied':
      return [
        {
          ...trouble('died', event.reason, (tasks, span, times) =>
            times === 1
              ? `${tasks} becomes a dead letter: ${deadText(event.reason)}`
              : `${tasks} become dead letters${span}`,
          ),
          ids: [event.id],
        },
      ]
    case 'taskRedriven':
      return [
        { ...note('redriven', 'broker', (tasks) => `${tasks} ${areOr(tasks)} made ready again`), ids: [event.id] },
      ]
    case 'brokerStalled':
      return [trouble('stalled', 'broker', () => `the broker could not listen for ${spanText(event.ms)}`)]
    default:
      return []
  }
}

function lossOf(how: 'lease_expired' | 'session_lost', id: string, then: (tasks: string) => string): Raw {
  const text = (tasks: string): string =>
    how === 'lease_expired'
      ? `the lease of ${tasks} expires${then(tasks)}`
      : `the worker of ${tasks} did not come back${then(tasks)}`
  return { ...trouble(how, 'broker', text), ids: [id] }
}

function note(kind: string, actor: string, text: Raw['text']): Raw {
  return { kind, actor, weight: 'notable', ids: [], text }
}

function trouble(kind: string, actor: string, text: Raw['text']): Raw {
  return { kind, actor, weight: 'trouble', ids: [], text }
}

function routine(kind: string, actor: string, ids: readonly string[], text: Raw['text']): Raw {
  return { kind, actor, weight: 'routine', ids, text }
}
