import type { Point } from './layout.ts'
import type { Palette } from './palette.ts'
import type { Look, Picture, Pulse, Token } from './tokens.ts'

/** A token that is not on its way comes to its place in about this time, in ms of a watch. */
const EASE_MS = 110
/** A token that is farther away than this was somewhere else altogether, and appears. */
const JUMP = 420

export interface PaintOptions {
  palette: Palette
  radius: number
  /** ms of a watch since the last painting. 0: everything is at its place at once. */
  elapsedMs: number
  /** Simulated time, for what turns. */
  atMs: number
  selected: string | undefined
}

/** Paints tokens. It remembers where each one was, so that it glides to its next place. */
export class Painter {
  #places = new Map<string, Point>()
  /** Those that a person can point at. */
  #solid = new Set<string>()
  #isGliding = false

  paint(context: CanvasRenderingContext2D, picture: Picture, options: PaintOptions): void {
    const { elapsedMs, radius } = options
    const share = elapsedMs === 0 ? 1 : 1 - Math.exp(-elapsedMs / EASE_MS)
    const places = new Map<string, Point>()
    this.#solid.clear()
    this.#isGliding = false
    for (const pulse of picture.pulses) paintPulse(context, pulse, options)
    for (const token of picture.tokens) {
      const before = this.#places.get(token.id)
      const isNear = before !== undefined && Math.hypot(before.x - token.x, before.y - token.y) < JUMP
      const at =
        token.isTravelling || !isNear
          ? { x: token.x, y: token.y }
          : { x: before.x + (token.x - before.x) * share, y: before.y + (token.y - before.y) * share }
      places.set(token.id, at)
      if (token.alpha === 1) this.#solid.add(token.id)
      this.#isGliding ||= Math.abs(at.x - token.x) + Math.abs(at.y - token.y) > 0.5
      paintToken(context, token, at, radius, options)
    }
    this.#places = places
  }

  /** Whether a token has not come to its place yet. */
  get isGliding(): boolean {
    return this.#isGliding
  }

  /** The token at this point, the topmost first. */
  hit(point: Point, radius: number): string | undefined {
    let found: string | undefined
    for (const [id, at] of this.#places)
      if (this.#solid.has(id) && Math.hypot(at.x - point.x, at.y - point.y) <= Math.max(radius, 12)) found = id
    return found
  }
}

function paintToken(
  context: CanvasRenderingContext2D,
  { look, number, alpha, isDouble, id }: Token,
  { x, y }: Point,
  radius: number,
  { palette, atMs, selected }: PaintOptions,
): void {
  context.globalAlpha = alpha
  const colour = palette.looks[look]
  const isHollow = look === 'new' || look === 'cancelled'
  context.lineWidth = 2
  context.strokeStyle = colour
  context.fillStyle = isHollow ? palette.surface : colour
  shape(context, look, x, y, isHollow ? radius - 1 : radius)
  context.fill()
  if (isHollow) context.stroke()
  if (look === 'running') {
    context.lineWidth = 2
    context.beginPath()
    const turn = (atMs / 900) * Math.PI
    context.arc(x, y, radius + 4, turn, turn + Math.PI * 1.2)
    context.stroke()
  }
  if (isDouble || id === selected) {
    context.strokeStyle = isDouble ? palette.bad : palette.ink
    context.lineWidth = 2
    context.beginPath()
    context.arc(x, y, radius + (look === 'running' ? 7 : 4), 0, 2 * Math.PI)
    context.stroke()
  }
  if (look === 'succeeded') tick(context, x, y, radius, palette.surface)
  else if (look === 'dead') cross(context, x, y, radius, palette.surface)
  else if (radius >= 9) {
    context.fillStyle = isHollow ? palette.ink : palette.surface
    context.font = `600 ${number < 100 ? 10 : number < 1000 ? 8.5 : 7}px system-ui, sans-serif`
    context.textAlign = 'center'
    context.textBaseline = 'middle'
    context.fillText(String(number), x, y + 0.5)
  }
  context.globalAlpha = 1
}

function shape(context: CanvasRenderingContext2D, look: Look, x: number, y: number, radius: number): void {
  context.beginPath()
  switch (look) {
    case 'delayed':
      context.moveTo(x, y - radius - 2)
      context.lineTo(x + radius + 2, y)
      context.lineTo(x, y + radius + 2)
      context.lineTo(x - radius - 2, y)
      context.closePath()
      return
    case 'leased':
    case 'running':
      context.roundRect(x - radius + 1, y - radius + 1, 2 * radius - 2, 2 * radius - 2, 4)
      return
    case 'dead':
      octagon(context, x, y, radius + 1)
      return
    default:
      context.arc(x, y, radius, 0, 2 * Math.PI)
  }
}

function octagon(context: CanvasRenderingContext2D, x: number, y: number, radius: number): void {
  for (let corner = 0; corner < 8; corner += 1) {
    const angle = (Math.PI / 4) * corner + Math.PI / 8
    context.lineTo(x + radius * Math.cos(angle), y + radius * Math.sin(angle))
  }
  context.closePath()
}

function tick(context: CanvasRenderingContext2D, x: number, y: number, radius: number, colour: string): void {
  context.strokeStyle = colour
  context.lineWidth = 2
  context.beginPath()
  context.moveTo(x - radius * 0.42, y + radius * 0.02)
  context.lineTo(x - radius * 0.1, y + radius * 0.36)
  context.lineTo(x + radius * 0.45, y - radius * 0.34)
  context.stroke()
}

function cross(context: CanvasRenderingContext2D, x: number, y: number, radius: number, colour: string): void {
  const reach = radius * 0.36
  context.strokeStyle = colour
  context.lineWidth = 2
  context.beginPath()
  context.moveTo(x - reach, y - reach)
  context.lineTo(x + reach, y + reach)
  context.moveTo(x + reach, y - reach)
  context.lineTo(x - reach, y + reach)
  context.stroke()
}

function paintPulse(context: CanvasRenderingContext2D, { x, y, kind }: Pulse, { palette }: PaintOptions): void {
  context.globalAlpha = kind === 'heartbeat' || kind === 'answer' ? 0.75 : 1
  switch (kind) {
    case 'busy':
    case 'revoke': {
      const colour = kind === 'busy' ? palette.warn : palette.bad
      context.fillStyle = colour
      context.beginPath()
      context.moveTo(x, y - 7)
      context.lineTo(x + 7, y + 6)
      context.lineTo(x - 7, y + 6)
      context.closePath()
      context.fill()
      context.fillStyle = palette.surface
      context.font = '700 9px system-ui, sans-serif'
      context.textAlign = 'center'
      context.textBaseline = 'middle'
      context.fillText('!', x, y + 1.5)
      break
    }
    case 'heartbeat':
      context.fillStyle = palette.bad
      context.beginPath()
      context.arc(x - 1.6, y - 0.8, 2, 0, 2 * Math.PI)
      context.arc(x + 1.6, y - 0.8, 2, 0, 2 * Math.PI)
      context.fill()
      context.beginPath()
      context.moveTo(x - 3.5, y)
      context.lineTo(x, y + 4)
      context.lineTo(x + 3.5, y)
      context.closePath()
      context.fill()
      break
    case 'hello':
    case 'drain':
      context.fillStyle = palette.accent
      context.beginPath()
      context.arc(x, y, 4, 0, 2 * Math.PI)
      context.fill()
      break
    case 'answer':
      context.fillStyle = palette.muted
      context.beginPath()
      context.arc(x, y, 2.5, 0, 2 * Math.PI)
      context.fill()
  }
  context.globalAlpha = 1
}
