import { useLayoutEffect, useRef } from 'preact/hooks'
import { describeChart } from './chart-words.ts'
import './chart-view.css'
import { labelParts } from './label.ts'
import {
  activeStates,
  type ChartEdge,
  type ChartLabel,
  type ChartLayout,
  type ChartNode,
  edgeOf,
  type Taken,
} from './layout.ts'
import { arrowHead, roundedPath } from './rounded-path.ts'

const CORNER = 10
const ARROW_LENGTH = 8
const ARROW_WIDTH = 7
const LINE_HEIGHT = 17
/** How much of the chart must be seen around the active state, in CSS pixels. */
const AROUND = 24

export interface ChartViewProps {
  layout: ChartLayout
  /** The states that are active, as transitions name them. Without any, the machine has not begun. */
  active: readonly string[]
  /** The latest transition. `key` tells one from the next, so that the same one is seen again. */
  last?: (Taken & { key: number | string }) | undefined
}

/** A state chart. Its active states are lit, and so is the transition that led there. */
export function ChartView({ layout, active, last }: ChartViewProps) {
  const frame = useRef<HTMLDivElement>(null)
  const lit = activeStates(layout, active)
  const taken = last && edgeOf(layout, last)
  const inmost = layout.nodes.findLast(({ id, kind }) => (kind === 'state' || kind === 'final') && lit.has(id))
  const reached = layout.nodes.find(({ id }) => id === taken?.edge.to && lit.has(id)) ?? inmost
  useLayoutEffect(() => {
    if (frame.current !== null && reached !== undefined)
      reveal(frame.current, focusOf(reached, taken?.edge.at, frame.current))
  }, [reached?.id, last?.key, layout.machine])

  const boxes = layout.nodes.filter(({ kind }) => kind !== 'initial')
  const outer = boxes.filter(({ id }) => layout.nodes.some(({ parent }) => parent === id))
  const inner = boxes.filter((node) => !outer.includes(node))
  const others = layout.edges.filter((edge) => edge !== taken?.edge)
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: without a pointer it is scrolled by keys
    <div class="chart" ref={frame} tabIndex={0} role="img" aria-label={describeChart(layout, lit, last)}>
      <svg width={layout.w} height={layout.h} viewBox={`0 0 ${layout.w} ${layout.h}`} aria-hidden="true">
        {outer.map((node) => (
          <Frame key={node.id} node={node} isActive={lit.has(node.id)} />
        ))}
        {others.map((edge) => (
          <Line key={nameOf(edge)} edge={edge} />
        ))}
        {layout.nodes.map((node) => node.kind === 'initial' && <Dot key={node.id} node={node} />)}
        {taken && <Line key={`${nameOf(taken.edge)} ${last.key}`} edge={taken.edge} isTaken />}
        {inner.map((node) => (
          <State key={node.id} node={node} isActive={lit.has(node.id)} />
        ))}
        {others.map((edge) => (
          <Labels key={nameOf(edge)} edge={edge} />
        ))}
        {taken && <Labels edge={taken.edge} taken={taken.label} />}
      </svg>
    </div>
  )
}

function nameOf({ from, to, sources }: ChartEdge): string {
  return `${from} ${to} ${sources.join(' ')}`
}

interface Box {
  x: number
  y: number
  w: number
  h: number
}

/** What should be seen: the state, and beside it what led there, if both have room. */
function focusOf(state: Box, label: Box | undefined, { clientWidth, clientHeight }: HTMLElement): Box {
  if (label === undefined) return state
  const [x, y] = [Math.min(state.x, label.x), Math.min(state.y, label.y)]
  const w = Math.max(state.x + state.w, label.x + label.w) - x
  const h = Math.max(state.y + state.h, label.y + label.h) - y
  return w + 2 * AROUND <= clientWidth && h + 2 * AROUND <= clientHeight ? { x, y, w, h } : state
}

/** Brings a part of the chart to the middle unless it is seen already, and not while a person holds the chart. */
function reveal(frame: HTMLElement, { x, y, w, h }: Box): void {
  if (frame.matches(':hover, :focus-within')) return
  const middle = (from: number, size: number, start: number, room: number): number =>
    from - AROUND < start || from + size + AROUND > start + room ? from + size / 2 - room / 2 : start
  frame.scrollTo({
    left: middle(x, w, frame.scrollLeft, frame.clientWidth),
    top: middle(y, h, frame.scrollTop, frame.clientHeight),
  })
}

function classes(name: string, flags: Readonly<Record<string, boolean>>): string {
  return [name, ...Object.keys(flags).filter((flag) => flags[flag])].join(' ')
}

function Frame({ node: { x, y, w, h, name, kind }, isActive }: { node: ChartNode; isActive: boolean }) {
  const isRegion = kind === 'region'
  const flags = { 'is-region': isRegion, 'is-group': kind === 'group', 'is-active': isActive && !isRegion }
  return (
    <g>
      <rect class={classes('chart-frame', flags)} x={x} y={y} width={w} height={h} rx={isRegion ? 8 : 14} />
      <text class={classes('chart-name', flags)} x={x + (isRegion ? 14 : 18)} y={y + (isRegion ? 24 : 27)}>
        {name}
      </text>
    </g>
  )
}

function State({ node: { x, y, w, h, name, kind }, isActive }: { node: ChartNode; isActive: boolean }) {
  const flags = { 'is-active': isActive }
  return (
    <g>
      <rect class={classes('chart-state', flags)} x={x} y={y} width={w} height={h} rx={10} />
      {kind === 'final' && (
        <rect class={classes('chart-inset', flags)} x={x + 3} y={y + 3} width={w - 6} height={h - 6} rx={7} />
      )}
      <text class={classes('chart-name is-centred', flags)} x={x + w / 2} y={y + h / 2} dy="0.35em">
        {name}
      </text>
    </g>
  )
}

function Dot({ node: { x, y, w, h } }: { node: ChartNode }) {
  return <circle class="chart-dot" cx={x + w / 2} cy={y + h / 2} r={w / 2 - 1} />
}

function Line({ edge: { points }, isTaken = false }: { edge: ChartEdge; isTaken?: boolean }) {
  const flags = { 'is-taken': isTaken }
  return (
    <g>
      <path class={classes('chart-line', flags)} d={roundedPath(points, CORNER, ARROW_LENGTH - 1)} pathLength={1} />
      <path class={classes('chart-arrow', flags)} d={arrowHead(points, ARROW_LENGTH, ARROW_WIDTH)} />
    </g>
  )
}

function Labels({ edge: { labels, at }, taken }: { edge: ChartEdge; taken?: ChartLabel }) {
  if (at === undefined) return null
  const x = at.align === 'start' ? at.x + 2 : at.align === 'end' ? at.x + at.w - 2 : at.x + at.w / 2
  return (
    <text class="chart-labels" text-anchor={at.align}>
      {labels.map((label, line) => {
        const { before, event, after } = labelParts(label)
        const flags = { 'is-taken': label === taken }
        const y = at.y + line * LINE_HEIGHT + LINE_HEIGHT / 2
        return (
          <tspan key={`${event}${after}`} class={classes('chart-label', flags)} x={x} y={y} dy="0.35em">
            <tspan class={classes('chart-aside', flags)}>{before}</tspan>
            {event}
            <tspan class={classes('chart-aside', flags)}>{after}</tspan>
          </tspan>
        )
      })}
    </text>
  )
}
