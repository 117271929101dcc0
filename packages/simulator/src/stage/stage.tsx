import type { RefObject } from 'preact'
import { useEffect, useLayoutEffect, useMemo, useRef } from 'preact/hooks'
import { useWidth } from '../ui/use-width.ts'
import type { PartView, StageView } from '../view/stage-view.ts'
import { type Layout, layoutOf, type Rect } from './layout.ts'
import { Painter } from './painter.ts'
import { type Palette, paletteOf } from './palette.ts'
import './stage.css'
import { pictureOf } from './tokens.ts'
import { moodOf, nameOf, numberOf, statusOf } from './words.ts'

export interface StageProps {
  stage: StageView
  /** The part or the task that is chosen. */
  selected: string | undefined
  onSelectPart?: (name: string) => void
  onSelectTask?: (id: string) => void
  /** For people who look at two of them. */
  label: string
}

/** What a person sees: parts that can be reached by keyboard, and tokens above them. */
export function Stage({ stage, selected, onSelectPart, onSelectTask, label }: StageProps) {
  const box = useRef<HTMLElement>(null)
  const canvas = useRef<HTMLCanvasElement>(null)
  const width = useWidth(box, 960)
  const shapeKey = `${stage.parts.map(({ name, slots }) => `${name}:${slots}`).join()} ${stage.queues.map(({ name }) => name).join()}`
  const layout = useMemo(() => layoutOf(stage, width), [shapeKey, width])
  const painter = useMemo(() => new Painter(), [])
  const picture = pictureOf(stage, layout)
  usePainting(canvas, box, { stage, layout, picture, painter, selected })
  return (
    <section
      class={`stage ${layout.isWide ? '' : 'is-narrow'}`}
      ref={box}
      style={{ height: `${layout.height}px` }}
      aria-label={label}
      onClickCapture={(event) => {
        // Tokens lie above the parts. The same tasks are in the list of tasks, which the keyboard reaches.
        const rect = event.currentTarget.getBoundingClientRect()
        const id = painter.hit({ x: event.clientX - rect.left, y: event.clientY - rect.top }, layout.radius)
        if (id === undefined || event.detail === 0) return
        event.stopPropagation()
        onSelectTask?.(id)
      }}
    >
      <Links stage={stage} layout={layout} />
      {stage.parts.map((part) => {
        const rect = layout.parts.get(part.name)
        if (rect === undefined) return null
        return part.kind === 'broker' ? (
          <BrokerCard
            key={part.name}
            part={part}
            stage={stage}
            layout={layout}
            hidden={picture.hidden}
            isSelected={selected === part.name}
            onSelect={onSelectPart}
          />
        ) : (
          <PartCard
            key={part.name}
            part={part}
            rect={rect}
            layout={layout}
            held={
              stage.tasks.filter(
                ({ worker, place }) => worker === part.name && (place === 'held' || place === 'running'),
              ).length
            }
            isSelected={selected === part.name}
            onSelect={onSelectPart}
          />
        )
      })}
      <div class="stage-tokens" aria-hidden="true">
        <canvas ref={canvas} />
      </div>
    </section>
  )
}

interface Painting {
  stage: StageView
  layout: Layout
  picture: ReturnType<typeof pictureOf>
  painter: Painter
  selected: string | undefined
}

function usePainting(
  canvas: RefObject<HTMLCanvasElement | null>,
  box: RefObject<HTMLElement | null>,
  painting: Painting,
): void {
  const palette = useRef<Palette | undefined>(undefined)
  const lastAt = useRef(0)
  const again = useRef(0)
  useEffect(() => {
    const forget = () => {
      palette.current = undefined
    }
    const theme = matchMedia('(prefers-color-scheme: dark)')
    theme.addEventListener('change', forget)
    return () => theme.removeEventListener('change', forget)
  }, [])
  useLayoutEffect(() => {
    const element = canvas.current
    const context = element?.getContext('2d')
    if (element === null || context === null || context === undefined || box.current === null) return
    const { stage, layout, picture, painter, selected } = painting
    const scale = devicePixelRatio || 1
    const width = Math.round(layout.width * scale)
    const height = Math.round(layout.height * scale)
    if (element.width !== width || element.height !== height) {
      element.width = width
      element.height = height
    }
    const colours = palette.current ?? paletteOf(box.current)
    palette.current = colours
    const isCalm = matchMedia('(prefers-reduced-motion: reduce)').matches
    const paint = () => {
      const now = performance.now()
      const elapsedMs = isCalm || lastAt.current === 0 ? 0 : now - lastAt.current
      lastAt.current = now
      context.setTransform(scale, 0, 0, scale, 0, 0)
      context.clearRect(0, 0, layout.width, layout.height)
      painter.paint(context, picture, {
        palette: colours,
        radius: layout.radius,
        elapsedMs,
        atMs: isCalm ? 0 : stage.atMs,
        selected,
      })
      // Time may stand still while tokens are still on their way to where they belong.
      if (painter.isGliding) again.current = requestAnimationFrame(paint)
    }
    cancelAnimationFrame(again.current)
    paint()
  })
  useEffect(() => () => cancelAnimationFrame(again.current), [])
}

function Links({ stage, layout }: { stage: StageView; layout: Layout }) {
  return (
    <svg class="stage-links" width={layout.width} height={layout.height} aria-hidden="true">
      {stage.parts.map(({ name, link, troubles, isUp }) => {
        const ends = layout.links.get(name)
        if (ends === undefined) return null
        const [from, to] = ends
        const isCut = troubles.includes('partition') || troubles.includes('halfOpen')
        const state = isCut ? 'cut' : isUp ? link : 'none'
        return (
          <g key={name} class={`link link-${state}`}>
            <line x1={from.x} y1={from.y} x2={to.x} y2={to.y} />
            {isCut && (
              <path
                class="link-cross"
                transform={`translate(${(from.x + to.x) / 2} ${(from.y + to.y) / 2})`}
                d="M-7 -7L7 7M7 -7L-7 7"
              />
            )}
          </g>
        )
      })}
    </svg>
  )
}

function boxOf({ x, y, width, height }: Rect): Record<string, string> {
  return { left: `${x}px`, top: `${y}px`, width: `${width}px`, height: `${height}px` }
}

interface CardProps {
  part: PartView
  isSelected: boolean
  onSelect: ((name: string) => void) | undefined
}

function PartCard({
  part,
  rect,
  layout,
  held,
  isSelected,
  onSelect,
}: CardProps & { rect: Rect; layout: Layout; held: number }) {
  const isWorker = part.kind === 'worker'
  const size = layout.sizes.get(part.name) ?? 'full'
  const status = statusOf(part)
  return (
    <button
      type="button"
      data-part={part.name}
      class={`part part-${part.kind} size-${size} ${isSelected ? 'is-selected' : ''} ${part.isUp ? '' : 'is-down'}`}
      style={boxOf(rect)}
      aria-pressed={isSelected}
      onClick={() => onSelect?.(part.name)}
    >
      <span class="part-head">
        {size === 'full' && <PartIcon kind={part.kind} />}
        {size === 'full' ? (
          <span class="part-name">{nameOf(part)}</span>
        ) : (
          <span class={`part-name mood-${moodOf(part)}`}>{size === 'small' ? nameOf(part) : numberOf(part)}</span>
        )}
      </span>
      {size === 'full' && <span class={`part-status mood-${moodOf(part)}`}>{status}</span>}
      {size !== 'full' && <span class="visually-hidden">{`${size === 'tiny' ? nameOf(part) : ''} ${status}`}</span>}
      {size !== 'full' ? null : isWorker ? (
        <>
          <svg class="slots" width={rect.width} height={rect.height} aria-hidden="true">
            {(layout.slots.get(part.name) ?? []).map(({ x, y }, at) => (
              <circle key={at} cx={x - rect.x} cy={y - rect.y} r={layout.radius + 1} />
            ))}
          </svg>
          <span class="visually-hidden">{`${held} of ${part.slots} handlers have work, credit ${part.credit}`}</span>
          <span class="credit" aria-hidden="true" title="Credit: how many more deliveries it takes">
            {'●'.repeat(Math.min(6, Math.max(0, part.credit - held)))}
            {part.credit - held > 6 ? '+' : ''}
          </span>
        </>
      ) : (
        <span class="part-note">{part.waiting > 0 ? `${part.waiting} waiting` : `${part.total} sent`}</span>
      )}
    </button>
  )
}

function BrokerCard({
  part,
  stage,
  layout,
  hidden,
  isSelected,
  onSelect,
}: CardProps & { stage: StageView; layout: Layout; hidden: ReadonlyMap<string, number> }) {
  const rect = layout.parts.get('broker') as Rect
  const within = (inner: Rect) => boxOf({ ...inner, x: inner.x - rect.x, y: inner.y - rect.y })
  const dead = stage.queues.reduce((sum, queue) => sum + queue.dead, 0)
  const { batches, events } = stage.journal
  return (
    <button
      type="button"
      data-part={part.name}
      class={`part part-broker ${isSelected ? 'is-selected' : ''} ${part.isUp ? '' : 'is-down'}`}
      style={boxOf(rect)}
      aria-pressed={isSelected}
      onClick={() => onSelect?.(part.name)}
    >
      <span class="part-head">
        <PartIcon kind="broker" />
        <span class="part-name">Broker</span>
        <span class={`part-status mood-${moodOf(part)}`}>{statusOf(part)}</span>
      </span>
      {stage.queues.map((queue) => {
        const lane = layout.lanes.get(queue.name)
        const more = hidden.get(queue.name) ?? 0
        return (
          lane && (
            <span key={queue.name} class="lane" style={within(lane)}>
              <span class="lane-name">{queue.name}</span>
              <span class="lane-counts">
                {queue.delayed > 0 && <b class="count-delayed">{queue.delayed} delayed</b>}
                <b class="count-ready">{queue.ready} ready</b>
                <b class="count-leased">{queue.leased} leased</b>
                {more > 0 && <b class="count-more">+{more} not drawn</b>}
              </span>
            </span>
          )
        )
      })}
      <span class={`well ${events > 0 ? 'is-writing' : ''}`} style={within(layout.journal)}>
        <span class="well-name">Journal</span>
        <span class="well-value">{batches > 0 ? `writing ${events}` : 'durable'}</span>
      </span>
      <span class={`well ${dead > 0 ? 'has-dead' : ''}`} style={within(layout.tray)}>
        <span class="well-name">Dead letters</span>
        <span class="well-value">{dead}</span>
      </span>
    </button>
  )
}

const ICONS: Readonly<Record<PartView['kind'], string>> = {
  producer: 'M3 8h8M8 4l4 4-4 4',
  tab: 'M2 4h12v9H2zM2 7h12',
  stranger: 'M8 3a3 3 0 110 6 3 3 0 010-6M3 14c1-4 9-4 10 0',
  broker: 'M3 4h10M3 8h10M3 12h10',
  worker: 'M8 5a3 3 0 110 6 3 3 0 010-6M8 2v2M8 12v2M2 8h2M12 8h2M4 4l1 1M11 11l1 1M12 4l-1 1M5 11l-1 1',
}

function PartIcon({ kind }: { kind: PartView['kind'] }) {
  return (
    <svg class="part-icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      <path d={ICONS[kind]} />
    </svg>
  )
}
