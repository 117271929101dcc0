import type { Place, StageView, TaskView } from '../view/stage-view.ts'
import type { Layout, Point, Rect } from './layout.ts'

/** What shape and colour tell. */
export type Look = 'new' | 'delayed' | 'ready' | 'leased' | 'running' | 'succeeded' | 'dead' | 'cancelled'

/** A task as it is drawn. */
export interface Token extends Point {
  id: string
  number: number
  look: Look
  /** From 0 to 1. */
  alpha: number
  /** More than one handler works on it. */
  isDouble: boolean
  /** It is on its way, so its place is exact and is not approached slowly. */
  isTravelling: boolean
}

/** A message without a task. */
export interface Pulse extends Point {
  kind: StageView['pulses'][number]['kind']
}

export interface Picture {
  tokens: readonly Token[]
  pulses: readonly Pulse[]
  /** How many tasks wait and have no room in their lane, by queue. */
  hidden: ReadonlyMap<string, number>
}

const FADE_MS = 700
/** Of the words at the foot of a producer. */
const NOTE_WIDTH = 82
/** Of a task whose worker is gone. */
const LOST_ALPHA = 0.55
/** Where a message waits of which it is not known when it arrives. */
const STUCK_AT = 0.6
/** The two directions of a link lie beside each other. */
const LANE_APART = 7

/** Where each token is. It depends only on what is shown and on the layout. */
export function pictureOf(stage: StageView, layout: Layout): Picture {
  const tokens: Token[] = []
  const hidden = new Map<string, number>()
  const atProducers = new Map<string, TaskView[]>()
  const inLanes = new Map<string, TaskView[]>()
  const atWorkers = new Map<string, TaskView[]>()
  for (const task of stage.tasks) {
    if (task.place === 'ready' || task.place === 'delayed' || task.place === 'leased') push(inLanes, task.queue, task)
    else if (task.place === 'producer') push(atProducers, task.producer, task)
    else if (task.place === 'held' || task.place === 'running' || task.place === 'lost')
      push(atWorkers, task.worker ?? '', task)
    else tokens.push(moving(task, stage.atMs, layout))
  }
  for (const [name, tasks] of atProducers) tokens.push(...producerTokens(tasks, layout.parts.get(name), layout.radius))
  for (const [name, tasks] of inLanes) {
    const lane = layout.lanes.get(name)
    if (lane === undefined) continue
    const drawn = laneTokens(tasks, lane, layout.radius)
    tokens.push(...drawn)
    const counts = stage.queues.find((queue) => queue.name === name)
    const waiting = counts === undefined ? tasks.length : counts.ready + counts.delayed
    hidden.set(name, Math.max(0, waiting - drawn.filter(({ look }) => look === 'ready' || look === 'delayed').length))
  }
  for (const [name, tasks] of atWorkers) tokens.push(...workerTokens(tasks, name, layout))
  return { tokens, pulses: stage.pulses.flatMap((pulse) => pulseOf(pulse, stage.atMs, layout)), hidden }
}

function push(map: Map<string, TaskView[]>, key: string, task: TaskView): void {
  const list = map.get(key)
  if (list === undefined) map.set(key, [task])
  else list.push(task)
}

function lookOf({ state, place }: TaskView): Look {
  if (state === 'leased') return place === 'running' ? 'running' : 'leased'
  return state
}

function token(task: TaskView, { x, y }: Point, isTravelling = false, alpha = 1): Token {
  const { id, number, runs } = task
  return { id, number, look: lookOf(task), isDouble: runs > 1, isTravelling, alpha, x, y }
}

/** The next one waits at the right end, nearest to the workers. Delayed tasks wait at the left end. */
function laneTokens(tasks: readonly TaskView[], lane: Rect, radius: number): Token[] {
  const step = 2 * radius + 4
  const y = lane.y + lane.height - radius - 6
  const room = Math.max(2, Math.floor((lane.width - 8) / step))
  const ready = tasks.filter(({ place }) => place !== 'delayed').sort(byTurn)
  const delayed = tasks.filter(({ place }) => place === 'delayed')
  const forDelayed = Math.min(delayed.length, Math.max(1, Math.floor(room / 3)))
  return [
    ...ready
      .slice(0, room - forDelayed)
      .map((task, at) => token(task, { x: lane.x + lane.width - 8 - radius - at * step, y })),
    ...delayed.slice(0, forDelayed).map((task, at) => token(task, { x: lane.x + 8 + radius + at * step, y })),
  ]
}

/** What is leased leaves first; then the higher priority, then the older task. */
function byTurn(a: TaskView, b: TaskView): number {
  const leased = Number(b.place === 'leased') - Number(a.place === 'leased')
  return leased || b.priority - a.priority || a.number - b.number
}

function producerTokens(tasks: readonly TaskView[], rect: Rect | undefined, radius: number): Token[] {
  if (rect === undefined) return []
  if (rect.width < 60) return tasks.slice(0, 1).map((task) => token(task, centreOf(rect)))
  // What is written on the left stays to be read.
  const space = rect.width - 24 - 2 * radius - NOTE_WIDTH
  const step = Math.max(radius, Math.min(2 * radius + 3, space / Math.max(1, tasks.length - 1)))
  const room = Math.max(1, 1 + Math.floor(space / step))
  const y = rect.y + rect.height - radius - 7
  return tasks.slice(0, room).map((task, at) => token(task, { x: rect.x + rect.width - 12 - radius - at * step, y }))
}

function workerTokens(tasks: readonly TaskView[], name: string, layout: Layout): Token[] {
  const slots = layout.slots.get(name) ?? []
  const shelf = layout.shelves.get(name)
  const tokens: Token[] = []
  const running = tasks.filter(({ place }) => place === 'running').sort((a, b) => a.sinceMs - b.sinceMs)
  // A task stays in one slot while it runs: its number chooses, and then the next free one.
  const taken = new Set<number>()
  for (const task of running.slice(0, slots.length)) {
    let at = task.number % slots.length
    while (taken.has(at)) at = (at + 1) % slots.length
    taken.add(at)
    tokens.push(token(task, slots[at] as Point))
  }
  if (shelf === undefined) return tokens
  const lost = tasks.filter(({ place }) => place === 'lost')
  for (const [at, task] of lost.slice(0, slots.length).entries())
    tokens.push({ ...token(task, slots[at] as Point, false, LOST_ALPHA) })
  const held = tasks.filter(({ place }) => place === 'held')
  for (const [at, task] of held.slice(0, 6).entries())
    tokens.push(token(task, { x: shelf.x - at * (layout.radius + 4), y: shelf.y }))
  return tokens
}

function moving(task: TaskView, atMs: number, layout: Layout): Token {
  const { place, sinceMs, arrivesAtMs } = task
  if (place === 'settled' || place === 'done') {
    const alpha = Math.max(0, 1 - (atMs - sinceMs) / FADE_MS)
    return token(task, endOf(task, layout), false, alpha)
  }
  const name = place === 'toWorker' || place === 'fromWorker' ? task.worker : task.via
  const isUp = place === 'toBroker' || place === 'fromWorker'
  const at = onLink(layout, name ?? '', isUp, progressOf(atMs, sinceMs, arrivesAtMs))
  return token(task, at ?? centreOf(layout.parts.get('broker')), true)
}

function endOf({ place, state, producer, queue }: TaskView, layout: Layout): Point {
  if (state === 'dead') return centreOf(layout.tray)
  if (place === 'done') return cornerOf(layout.parts.get(producer), layout.radius)
  const lane = layout.lanes.get(queue)
  return lane === undefined
    ? centreOf(layout.parts.get('broker'))
    : { x: lane.x + lane.width / 2, y: lane.y + lane.height - layout.radius - 6 }
}

/** From 0 to 1, evenly. */
function progressOf(atMs: number, sentAtMs: number, arrivesAtMs: number | undefined): number {
  if (arrivesAtMs === undefined) return STUCK_AT * (1 - Math.exp(-(atMs - sentAtMs) / 400))
  return arrivesAtMs <= sentAtMs ? 1 : Math.min(1, Math.max(0, (atMs - sentAtMs) / (arrivesAtMs - sentAtMs)))
}

function onLink(layout: Layout, name: string, isUp: boolean, progress: number): Point | undefined {
  const link = layout.links.get(name)
  if (link === undefined) return undefined
  const [part, broker] = link
  const share = isUp ? progress : 1 - progress
  const away = isUp ? -LANE_APART : LANE_APART
  return {
    x: part.x + (broker.x - part.x) * share + (layout.isWide ? 0 : away),
    y: part.y + (broker.y - part.y) * share + (layout.isWide ? away : 0),
  }
}

function pulseOf(pulse: StageView['pulses'][number], atMs: number, layout: Layout): Pulse[] {
  const { node, by, kind, sentAtMs, arrivesAtMs } = pulse
  const at = onLink(layout, node, by === 'node', progressOf(atMs, sentAtMs, arrivesAtMs))
  return at === undefined ? [] : [{ ...at, kind }]
}

/** Where nothing is written. */
function cornerOf(rect: Rect | undefined, radius: number): Point {
  if (rect === undefined || rect.width < 60) return centreOf(rect)
  return { x: rect.x + rect.width - radius - 8, y: rect.y + rect.height - radius - 8 }
}

function centreOf(rect: Rect | undefined): Point {
  return rect === undefined ? { x: 0, y: 0 } : { x: rect.x + rect.width / 2, y: rect.y + rect.height / 2 }
}

/** In words, for people who do not see the picture. */
export const PLACE_WORDS: Readonly<Record<Place, string>> = {
  producer: 'waits at its producer',
  toBroker: 'on its way to the broker',
  delayed: 'waits for its delay at the broker',
  ready: 'ready at the broker',
  leased: 'leased, at the broker',
  toWorker: 'on its way to a worker',
  held: 'at a worker, where no handler works on it',
  lost: 'lent to a worker that is gone, until its lease ends',
  running: 'a handler works on it',
  fromWorker: 'its answer is on its way to the broker',
  settled: 'finished, at the broker',
  toProducer: 'its outcome is on its way to the producer',
  done: 'finished',
}
