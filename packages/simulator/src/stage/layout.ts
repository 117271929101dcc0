import type { PartView, StageView } from '../view/stage.ts'

export interface Rect {
  x: number
  y: number
  width: number
  height: number
}

export interface Point {
  x: number
  y: number
}

/** Where everything is on the stage, in CSS pixels. */
export interface Layout {
  width: number
  height: number
  /** Side by side, or below each other on a narrow screen. */
  isWide: boolean
  parts: ReadonlyMap<string, Rect>
  lanes: ReadonlyMap<string, Rect>
  /** Dead letters. */
  tray: Rect
  journal: Rect
  /** Of each worker, one for each handler that may run. */
  slots: ReadonlyMap<string, readonly Point[]>
  /** Of each worker, where deliveries wait that no handler has begun. */
  shelves: ReadonlyMap<string, Point>
  /** Where the link of each part begins and ends. */
  links: ReadonlyMap<string, readonly [Point, Point]>
  /** The radius of a token. */
  radius: number
}

type Queues = StageView['queues']
type Rects = Map<string, Rect>

/** Below this width parts stand below each other. */
const WIDE_MIN = 660
const GAP = 16
const LANE = 54
const HEADER = 46
const FOOTER = 66
const SLOT_ROW_MAX = 8
const SLOT_STEP = 26
const CLIENT_HEIGHT = 84
const CLIENT_HEIGHT_NARROW = 66
/** The height of the links between rows on a narrow screen. */
const LINK_HEIGHT = 64

/** A layout depends only on what there is and on the room for it. */
export function layoutOf({ parts, queues }: Pick<StageView, 'parts' | 'queues'>, width: number): Layout {
  const clients = parts.filter(({ kind }) => kind === 'producer' || kind === 'tab' || kind === 'stranger')
  const workers = parts.filter(({ kind }) => kind === 'worker')
  return width >= WIDE_MIN ? wide(clients, workers, queues, width) : narrow(clients, workers, queues, width)
}

function wide(clients: readonly PartView[], workers: readonly PartView[], queues: Queues, width: number): Layout {
  const radius = 10
  const side = Math.min(200, Math.max(136, width * 0.17))
  const gap = Math.max(70, (width - 2 * side) * 0.17)
  const broker: Rect = { x: side + gap, y: 0, width: width - 2 * (side + gap), height: brokerHeight(queues.length) }
  const height = Math.max(broker.height, columnHeight(clients, clientHeight), columnHeight(workers, workerHeight), 300)
  broker.y = (height - broker.height) / 2
  const rects: Rects = new Map([['broker', broker]])
  column(rects, clients, 0, side, height, clientHeight)
  column(rects, workers, width - side, side, height, workerHeight)
  const links = new Map<string, readonly [Point, Point]>()
  for (const { name, kind } of [...clients, ...workers]) {
    const rect = rects.get(name) as Rect
    const isLeft = kind !== 'worker'
    links.set(name, [
      { x: isLeft ? rect.x + rect.width : rect.x, y: rect.y + rect.height / 2 },
      { x: isLeft ? broker.x : broker.x + broker.width, y: beside(rect, broker) },
    ])
  }
  const inner = { ...insideBroker(broker, queues), ...atWorkers(rects, workers, radius) }
  return { width, height, isWide: true, parts: rects, links, radius, ...inner }
}

function narrow(clients: readonly PartView[], workers: readonly PartView[], queues: Queues, width: number): Layout {
  const radius = width >= 480 ? 10 : 8
  const rects: Rects = new Map()
  const above = rows(rects, clients, 0, width, () => CLIENT_HEIGHT_NARROW)
  const broker: Rect = { x: 0, y: above + LINK_HEIGHT, width, height: brokerHeight(queues.length) }
  rects.set('broker', broker)
  const top = broker.y + broker.height + LINK_HEIGHT
  const height = rows(rects, workers, top, width, workerHeight)
  const links = new Map<string, readonly [Point, Point]>()
  for (const { name, kind } of [...clients, ...workers]) {
    const rect = rects.get(name) as Rect
    const x = rect.x + rect.width / 2
    links.set(
      name,
      kind === 'worker'
        ? [
            { x, y: rect.y },
            { x, y: broker.y + broker.height },
          ]
        : [
            { x, y: rect.y + rect.height },
            { x, y: broker.y },
          ],
    )
  }
  const inner = { ...insideBroker(broker, queues), ...atWorkers(rects, workers, radius) }
  return { width, height, isWide: false, parts: rects, links, radius, ...inner }
}

function brokerHeight(queues: number): number {
  return HEADER + Math.max(1, queues) * (LANE + 10) + FOOTER
}

function clientHeight(): number {
  return CLIENT_HEIGHT
}

function workerHeight({ slots }: PartView): number {
  return 88 + (Math.ceil(slots / SLOT_ROW_MAX) - 1) * SLOT_STEP
}

function columnHeight(parts: readonly PartView[], heightOf: (part: PartView) => number): number {
  return parts.reduce((sum, part) => sum + heightOf(part) + GAP, -GAP)
}

/** Below each other, in the middle of the height. */
function column(
  rects: Rects,
  parts: readonly PartView[],
  x: number,
  width: number,
  room: number,
  heightOf: (part: PartView) => number,
): void {
  let y = (room - columnHeight(parts, heightOf)) / 2
  for (const part of parts) {
    const height = heightOf(part)
    rects.set(part.name, { x, y, width, height })
    y += height + GAP
  }
}

/** Beside each other, in as many rows as needed. Returns where the last row ends. */
function rows(
  rects: Rects,
  parts: readonly PartView[],
  top: number,
  width: number,
  heightOf: (part: PartView) => number,
): number {
  const gap = 8
  const perRow = Math.max(1, Math.min(parts.length, Math.floor((width + gap) / (100 + gap))))
  const own = (width - gap * (perRow - 1)) / perRow
  let y = top
  for (let from = 0; from < parts.length; from += perRow) {
    const inRow = parts.slice(from, from + perRow)
    const height = Math.max(...inRow.map(heightOf))
    for (const [at, part] of inRow.entries()) rects.set(part.name, { x: at * (own + gap), y, width: own, height })
    y += height + (from + perRow < parts.length ? gap : 0)
  }
  return y
}

function insideBroker(broker: Rect, queues: Queues): Pick<Layout, 'lanes' | 'tray' | 'journal'> {
  const pad = 14
  const width = broker.width - 2 * pad
  const lanes = new Map<string, Rect>()
  for (const [at, { name }] of queues.entries())
    lanes.set(name, { x: broker.x + pad, y: broker.y + HEADER + at * (LANE + 10), width, height: LANE })
  const y = broker.y + broker.height - FOOTER + 8
  const half = (width - 10) / 2
  const height = FOOTER - 22
  return {
    lanes,
    journal: { x: broker.x + pad, y, width: half, height },
    tray: { x: broker.x + pad + half + 10, y, width: half, height },
  }
}

function atWorkers(
  rects: ReadonlyMap<string, Rect>,
  workers: readonly PartView[],
  radius: number,
): Pick<Layout, 'slots' | 'shelves'> {
  const slots = new Map<string, readonly Point[]>()
  const shelves = new Map<string, Point>()
  for (const { name, slots: count } of workers) {
    const { x, y, width } = rects.get(name) as Rect
    const inRow = Math.min(SLOT_ROW_MAX, Math.max(1, count))
    const step = Math.min(SLOT_STEP, (width - 56) / inRow)
    const first = x + 14 + radius
    const top = y + 62
    slots.set(
      name,
      Array.from({ length: count }, (_, at) => ({
        x: first + (at % SLOT_ROW_MAX) * step,
        y: top + Math.floor(at / SLOT_ROW_MAX) * SLOT_STEP,
      })),
    )
    shelves.set(name, { x: x + width - 14 - radius, y: top })
  }
  return { slots, shelves }
}

/** At the broker's side, as high as the part is, as far as the broker reaches. */
function beside(part: Rect, broker: Rect): number {
  const middle = part.y + part.height / 2
  return Math.max(broker.y + 24, Math.min(broker.y + broker.height - 24, middle))
}
