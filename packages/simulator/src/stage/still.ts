import type { PartView, StageView } from '../view/stage-view.ts'
import { type Layout, layoutOf, type Rect } from './layout.ts'
import { Painter } from './painter.ts'
import { type Palette, paletteOf } from './palette.ts'
import { pictureOf } from './tokens.ts'
import { moodOf, nameOf, statusOf } from './words.ts'

const WIDTH = 1200
const MARGIN = 24
const SCALE = 2
const FONT = 'system-ui, sans-serif'

/** The stage as a picture in PNG, 1,200 px wide at two pixels for one. */
export async function stillOf(stage: StageView, themed: HTMLElement): Promise<Blob> {
  const layout = layoutOf(stage, WIDTH - 2 * MARGIN)
  const palette = paletteOf(themed)
  const canvas = new OffscreenCanvas(WIDTH * SCALE, (layout.height + 2 * MARGIN) * SCALE)
  const context = canvas.getContext('2d')
  if (context === null) throw new Error('this browser draws no pictures')
  // What draws on a page draws here as well: both contexts have the methods that are used.
  const page = context as unknown as CanvasRenderingContext2D
  page.scale(SCALE, SCALE)
  page.fillStyle = palette.surface
  page.fillRect(0, 0, WIDTH, layout.height + 2 * MARGIN)
  page.translate(MARGIN, MARGIN)
  drawLinks(page, stage, layout, palette)
  for (const part of stage.parts) drawPart(page, part, stage, layout, palette)
  new Painter().paint(page, pictureOf(stage, layout), {
    palette,
    radius: layout.radius,
    elapsedMs: 0,
    atMs: stage.atMs,
    selected: undefined,
  })
  return canvas.convertToBlob({ type: 'image/png' })
}

function drawLinks(page: CanvasRenderingContext2D, stage: StageView, layout: Layout, palette: Palette): void {
  page.lineCap = 'round'
  for (const { name, isUp, link } of stage.parts) {
    const ends = layout.links.get(name)
    if (ends === undefined) continue
    page.strokeStyle = palette.line
    page.lineWidth = isUp && link === 'open' ? 10 : 2
    page.setLineDash(isUp && link === 'open' ? [] : [2, 7])
    page.beginPath()
    page.moveTo(ends[0].x, ends[0].y)
    page.lineTo(ends[1].x, ends[1].y)
    page.stroke()
  }
  page.setLineDash([])
}

function drawPart(
  page: CanvasRenderingContext2D,
  part: PartView,
  stage: StageView,
  layout: Layout,
  palette: Palette,
): void {
  const rect = layout.parts.get(part.name)
  if (rect === undefined) return
  box(page, rect, palette.surface, palette.line, 10)
  const size = layout.sizes.get(part.name) ?? 'full'
  text(
    page,
    size === 'tiny' ? part.name.replace(/.*-/, '') : nameOf(part),
    rect.x + 10,
    rect.y + 22,
    palette.ink,
    '600 14px',
  )
  if (size === 'full')
    text(page, statusOf(part), rect.x + 10, rect.y + 40, moodOf(part) === 'good' ? palette.muted : palette.bad, '12px')
  if (part.kind !== 'broker') return
  for (const { name, ready, delayed, leased } of stage.queues) {
    const lane = layout.lanes.get(name)
    if (lane === undefined) continue
    box(page, lane, palette.surface, palette.line, 8)
    text(page, name, lane.x + 10, lane.y + 17, palette.ink, '600 12px')
    page.textAlign = 'right'
    text(
      page,
      `${delayed} delayed  ${ready} ready  ${leased} leased`,
      lane.x + lane.width - 10,
      lane.y + 17,
      palette.muted,
      '12px',
    )
    page.textAlign = 'left'
  }
  const dead = stage.queues.reduce((sum, queue) => sum + queue.dead, 0)
  text(
    page,
    `Journal: ${stage.journal.batches > 0 ? 'writing' : 'durable'}`,
    layout.journal.x,
    layout.journal.y + 26,
    palette.muted,
    '12px',
  )
  text(page, `Dead letters: ${dead}`, layout.tray.x, layout.tray.y + 26, palette.muted, '12px')
}

function box(page: CanvasRenderingContext2D, rect: Rect, fill: string, stroke: string, round: number): void {
  page.fillStyle = fill
  page.strokeStyle = stroke
  page.lineWidth = 1
  page.beginPath()
  page.roundRect(rect.x, rect.y, rect.width, rect.height, round)
  page.fill()
  page.stroke()
}

function text(page: CanvasRenderingContext2D, words: string, x: number, y: number, colour: string, font: string): void {
  page.font = `${font} ${FONT}`
  page.fillStyle = colour
  page.textBaseline = 'alphabetic'
  page.fillText(words, x, y)
}
