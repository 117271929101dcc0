import type { PartView, StageView } from '../view/stage-view.ts'

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
  /** How much each part shows of itself. */
  sizes: ReadonlyMap<string, PartSize>
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

/** `full`: a card; `small`: its name and state; `tiny`: a number. The more there are, the less there is of each. */
export type PartSize = 'full' | 'small' | 'tiny'

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
const SMALL_HEIGHT = 40
const TINY = 34
/** So many parts of a side have room for full cards, and so many for small ones. */
const FULL_MAX = 5
const SMALL_MAX = 9
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
  const hasMany = clients.length > SMALL_MAX || workers.length > SMALL_MAX
  const side = Math.min(hasMany ? 220 : 200, Math.max(140, width * (hasMany ? 0.26 : 0.17)))
  const gap = Math.max(70, (width - 2 * side) * 0.17)
  const broker: Rect = { x: side + gap, y: 0, width: width - 2 * (side + gap), height: brokerHeight(queues.length) }
  const left = sideOf(clients, side, () => CLIENT_HEIGHT)
  const right = sideOf(workers, side, workerHeight)
  const height = Math.max(broker.height, left.height, right.height)
  broker.y = (height - broker.height) / 2
  const rects: Rects = new Map([['broker', broker]])
  for (const [name, rect] of left.rects) rects.set(name, { ...rect, y: rect.y + (height - left.height) / 2 })
  for (const [name, rect] of right.rects)
    rects.set(name, { ...rect, x: rect.x + width - side, y: rect.y + (height - right.height) / 2 })
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
  return { width, height, isWide: true, parts: rects, sizes: sizesOf(clients, workers), links, radius, ...inner }
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
  return { width, height, isWide: false, parts: rects, sizes: sizesOf(clients, workers), links, radius, ...inner }
}

function brokerHeight(queues: number): number {
  return HEADER + Math.max(1, queues) * (LANE + 10) + FOOTER
}

function sizeOf(count: number): PartSize {
  if (count <= FULL_MAX) return 'full'
  return count <= SMALL_MAX ? 'small' : 'tiny'
}

function sizesOf(clients: readonly PartView[], workers: readonly PartView[]): Map<string, PartSize> {
  return new Map(
    [clients, workers].flatMap((parts) => parts.map(({ name }): [string, PartSize] => [name, sizeOf(parts.length)])),
  )
}

function workerHeight({ slots }: PartView): number {
  return 88 + (Math.ceil(slots / SLOT_ROW_MAX) - 1) * SLOT_STEP
}

/** The parts of one side: below each other, or in a grid where there are many. */
function sideOf(
  parts: readonly PartView[],
  width: number,
  fullHeight: (part: PartView) => number,
): { rects: Rects; height: number } {
  const rects: Rects = new Map()
  const size = sizeOf(parts.length)
  if (size === 'tiny') {
    const perRow = Math.max(1, Math.floor((width + 4) / (TINY + 4)))
    for (const [at, { name }] of parts.entries())
      rects.set(name, {
        x: (at % perRow) * (TINY + 4),
        y: Math.floor(at / perRow) * (TINY + 4),
        width: TINY,
        height: TINY,
      })
    return { rects, height: Math.ceil(parts.length / perRow) * (TINY + 4) - 4 }
  }
  const gap = size === 'full' ? GAP : 8
  let y = 0
  for (const part of parts) {
    const height = size === 'full' ? fullHeight(part) : SMALL_HEIGHT
    rects.set(part.name, { x: 0, y, width, height })
    y += height + gap
  }
  return { rects, height: Math.max(0, y - gap) }
}

/** Beside each other, in as many rows as needed. Returns where the last row ends. */
function rows(
  rects: Rects,
  parts: readonly PartView[],
  top: number,
  width: number,
  heightOf: (part: PartView) => number,
): number {
  const isTiny = sizeOf(parts.length) === 'tiny'
  const gap = isTiny ? 4 : 8
  const least = isTiny ? TINY : 100
  const perRow = Math.max(1, Math.min(parts.length, Math.floor((width + gap) / (least + gap))))
  const own = isTiny ? TINY : (width - gap * (perRow - 1)) / perRow
  let y = top
  for (let from = 0; from < parts.length; from += perRow) {
    const inRow = parts.slice(from, from + perRow)
    const height = isTiny ? TINY : Math.max(...inRow.map(heightOf))
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
    const { x, y, width, height } = rects.get(name) as Rect
    if (sizeOf(workers.length) !== 'full' && height < CLIENT_HEIGHT_NARROW) {
      // There is room for one place. More tasks lie there above each other.
      const place = { x: x + width - 6 - radius - (height === TINY ? (width - 12) / 2 - radius : 0), y: y + height / 2 }
      slots.set(
        name,
        Array.from({ length: count }, (_, at) => ({ x: place.x - (height === TINY ? 0 : at * 8), y: place.y })),
      )
      shelves.set(name, place)
      continue
    }
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
