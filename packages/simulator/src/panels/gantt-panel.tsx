import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { GanttSpan, GanttView, SpanEnd } from '../view/gantt.ts'
import { clockText, countText, instantText, spanText } from '../view/words.ts'
import './panels.css'
import { GanttTable } from './gantt-table.tsx'

const ROW = 28
const BAR = 22
const WORKER_GAP = 10
const TOP = 26
const LEFT = 78
/** More attempts than this cannot be told apart. */
const DRAWN_MAX = 800
/** The most px of a character in a bar, and what is left free beside the text. */
const CHARACTER = 7.2
const FREE = 11

const HOW: Readonly<Record<SpanEnd, string>> = {
  running: 'runs',
  returned: 'done',
  threw: 'failed',
  stopped: 'told to stop',
  lost: 'lost with its worker',
}

/** What a span says, for those who do not see it. */
function spokenOf({ task, worker, attempt, fromMs, untilMs, how, isDuplicate }: GanttSpan, nowMs: number): string {
  return `${task}${tryText(attempt)} on ${worker}: ${HOW[how]}, ${spanText((untilMs ?? nowMs) - fromMs)} from ${instantText(fromMs)}${isDuplicate ? ', a duplicate' : ''}`
}

/** Such as ` try 2`; nothing for the first one. */
function tryText(attempt: number): string {
  return attempt === 1 ? '' : ` try ${attempt}`
}

function fits(text: string, width: number): boolean {
  return text.length * CHARACTER + FREE <= width
}

/** Which worker did what and when: one row for each slot. A bar opens the story of its task. */
export function GanttPanel({ gantt, onTask }: { gantt: GanttView; onTask: (id: string) => void }) {
  const [isTable, setTable] = useState(false)
  const lost = gantt.spans.length - DRAWN_MAX
  return (
    <section class="panel gantt" aria-label="Attempts by worker">
      <div class="panel-bar">
        <h2>Attempts</h2>
        <ul class="legend">
          {(Object.keys(HOW) as SpanEnd[]).map((how) => (
            <li key={how}>
              <svg width="22" height="14" aria-hidden="true">
                <Bar how={how} isDuplicate={false} x={1} y={1} width={20} height={12} />
              </svg>
              {HOW[how]}
            </li>
          ))}
          <li>
            <svg width="22" height="14" aria-hidden="true">
              <Bar how="returned" isDuplicate x={1} y={1} width={20} height={12} />
            </svg>
            duplicate
          </li>
        </ul>
        <button type="button" class="panel-button" aria-pressed={isTable} onClick={() => setTable(!isTable)}>
          Table
        </button>
      </div>
      {gantt.workers.length === 0 ? (
        <p class="empty">No worker has started yet.</p>
      ) : isTable ? (
        <GanttTable gantt={gantt} how={HOW} onTask={onTask} />
      ) : (
        <Drawing gantt={gantt} onTask={onTask} />
      )}
      {!isTable && lost > 0 && (
        <p class="fineprint">
          The last {DRAWN_MAX} of {countText(gantt.spans.length, 'attempt')} are drawn. A shorter time shows all.
        </p>
      )}
    </section>
  )
}

interface Placed {
  span: GanttSpan
  x: number
  y: number
  width: number
}

function Drawing({ gantt, onTask }: { gantt: GanttView; onTask: (id: string) => void }) {
  const room = useRef<HTMLDivElement>(null)
  const width = useWidth(room)
  const [chosen, choose] = useState<GanttSpan | undefined>(undefined)
  const { fromMs, untilMs, workers, spans } = gantt
  const tops = useMemo(() => topsOf(workers), [workers])
  const height = TOP + workers.reduce((sum, { rows }) => sum + rows * ROW + WORKER_GAP, 0)
  const inner = Math.max(1, width - LEFT - 6)
  const xOf = (ms: number): number => LEFT + (inner * (ms - fromMs)) / Math.max(1, untilMs - fromMs)
  const placed: Placed[] = spans.slice(-DRAWN_MAX).map((span) => {
    const x = Math.max(LEFT, xOf(span.fromMs))
    const end = Math.min(LEFT + inner, xOf(span.untilMs ?? untilMs))
    return { span, x, y: (tops.get(span.worker) ?? 0) + span.slot * ROW + (ROW - BAR) / 2, width: Math.max(2, end - x) }
  })
  const key = chosen && keyOf(chosen)
  // The one that the keyboard reaches, if the chosen one has left the picture.
  const reached = placed.find(({ span }) => keyOf(span) === key) ?? placed.at(-1)
  const move = (event: KeyboardEvent): void => {
    if (reached === undefined) return
    const next = neighbour(placed, reached, event.key)
    if (event.key === 'Enter' || event.key === ' ') onTask(reached.span.id)
    else if (next === undefined) return
    else {
      choose(next.span)
      const bar = room.current?.querySelector<SVGElement>(`[data-key="${keyOf(next.span)}"]`)
      bar?.focus()
    }
    event.preventDefault()
  }
  return (
    <div class="drawing" ref={room}>
      <svg
        width={width}
        height={height}
        role="toolbar"
        aria-label="Attempts over time. Arrow keys go from one to the next."
        onKeyDown={move}
      >
        {ticksOf(fromMs, untilMs, inner).map((tick) => (
          <g key={tick} class="tick-line">
            <line x1={xOf(tick)} x2={xOf(tick)} y1={TOP - 4} y2={height} />
            <text x={xOf(tick)} y={TOP - 10} text-anchor="middle">
              {clockText(tick)}
            </text>
          </g>
        ))}
        {workers.map(({ name, rows }) => (
          <g key={name}>
            <rect class="lane" x={LEFT} y={tops.get(name)} width={inner} height={rows * ROW} rx="4" />
            {Array.from({ length: rows - 1 }, (_, slot) => (
              <line
                key={slot}
                class="slot-line"
                x1={LEFT}
                x2={LEFT + inner}
                y1={(tops.get(name) ?? 0) + (slot + 1) * ROW}
                y2={(tops.get(name) ?? 0) + (slot + 1) * ROW}
              />
            ))}
            <text class="lane-name" x={LEFT - 10} y={(tops.get(name) ?? 0) + (rows * ROW) / 2} text-anchor="end">
              {name}
            </text>
          </g>
        ))}
        {placed.map(({ span, x, y, width: wide }) => (
          // biome-ignore lint/a11y/useSemanticElements: a button cannot stand in a drawing.
          <g
            key={keyOf(span)}
            data-key={keyOf(span)}
            class={`bar ${span.how}`}
            role="button"
            tabIndex={span === reached?.span ? 0 : -1}
            aria-label={spokenOf(span, untilMs)}
            onClick={() => {
              choose(span)
              onTask(span.id)
            }}
            onFocus={() => choose(span)}
            onPointerEnter={() => choose(span)}
          >
            <Bar how={span.how} isDuplicate={span.isDuplicate} x={x} y={y} width={wide} height={BAR} />
            {fits(span.task, wide) && (
              <text x={x + 6} y={y + BAR / 2 + 0.5}>
                {span.task}
                {fits(`${span.task}${tryText(span.attempt)}`, wide) && (
                  <tspan class="try">{tryText(span.attempt)}</tspan>
                )}
              </text>
            )}
          </g>
        ))}
      </svg>
      <p class="reading" aria-hidden="true">
        {reached && chosen
          ? spokenOf(reached.span, untilMs)
          : 'Point at a bar to read it. A click opens the story of its task.'}
      </p>
    </div>
  )
}

/** Its shape says how it ended, and its colour the same. */
function Bar({
  how,
  isDuplicate,
  ...box
}: {
  how: SpanEnd
  isDuplicate: boolean
  x: number
  y: number
  width: number
  height: number
}) {
  const { x, y, width, height } = box
  const right = x + width
  return (
    <g class={`shape ${how}${isDuplicate ? ' duplicate' : ''}`}>
      <rect class="fill" {...box} rx="3" />
      {how === 'threw' && <path class="sign" d={`M${right - 5} ${y} h5 v${height} h-5 z`} />}
      {how === 'lost' && <path class="cross" d={`M${right - 11} ${y + height / 2 - 4} l8 8 m0 -8 l-8 8`} />}
      {how === 'stopped' && <path class="sign" d={`M${right - 3} ${y} h3 v${height} h-3 z`} />}
      {how === 'running' && <path class="open" d={`M${right} ${y + 2} v${height - 4}`} />}
    </g>
  )
}

function keyOf({ worker, slot, fromMs }: GanttSpan): string {
  return `${worker} ${slot} ${fromMs}`
}

function topsOf(workers: GanttView['workers']): Map<string, number> {
  const tops = new Map<string, number>()
  let y = TOP
  for (const { name, rows } of workers) {
    tops.set(name, y)
    y += rows * ROW + WORKER_GAP
  }
  return tops
}

/** Left and right stay in the row; up and down go to the nearest bar of the next row that has one. */
function neighbour(placed: readonly Placed[], from: Placed, key: string): Placed | undefined {
  const row = placed.filter(({ y }) => y === from.y).sort((a, b) => a.x - b.x)
  const at = row.indexOf(from)
  if (key === 'ArrowLeft') return row[at - 1]
  if (key === 'ArrowRight') return row[at + 1]
  if (key === 'Home') return row[0]
  if (key === 'End') return row.at(-1)
  if (key !== 'ArrowUp' && key !== 'ArrowDown') return undefined
  const beyond = placed.filter(({ y }) => (key === 'ArrowUp' ? y < from.y : y > from.y))
  const y = key === 'ArrowUp' ? Math.max(...beyond.map((one) => one.y)) : Math.min(...beyond.map((one) => one.y))
  const distance = (one: Placed): number => Math.abs(one.x + one.width / 2 - from.x - from.width / 2)
  return beyond.filter((one) => one.y === y).sort((a, b) => distance(a) - distance(b))[0]
}

const STEPS_S = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600]

/** Round instants, at least 80 px apart. */
function ticksOf(fromMs: number, untilMs: number, width: number): number[] {
  const most = Math.max(1, Math.floor(width / 80))
  const step = (STEPS_S.find((s) => (untilMs - fromMs) / (s * 1000) <= most) ?? 7200) * 1000
  const ticks: number[] = []
  for (let tick = Math.ceil(fromMs / step) * step; tick <= untilMs; tick += step) ticks.push(tick)
  return ticks
}

function useWidth(element: { current: HTMLElement | null }): number {
  const [width, setWidth] = useState(600)
  useEffect(() => {
    const target = element.current
    if (target === null) return
    const fit = new ResizeObserver(() => setWidth(target.clientWidth))
    fit.observe(target)
    return () => fit.disconnect()
  }, [element])
  return width
}
