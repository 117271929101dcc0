import axe from 'axe-core'
import { h, render } from 'preact'
import { afterEach, expect, test } from 'vitest'
import { cdp } from 'vitest/browser'
import { ChartView, type ChartViewProps } from '../../src/charts/chart-view.tsx'
import { CHART_LAYOUTS } from '../../src/charts/layouts.ts'
import '../../src/ui/theme.css'

let host: HTMLElement | undefined

function draw(props: ChartViewProps, width = 360): HTMLElement {
  host ??= document.body.appendChild(document.createElement('main'))
  host.style.width = `${width}px`
  host.style.height = '480px'
  render(h(ChartView, props), host)
  return host.querySelector('[role=img]') as HTMLElement
}

afterEach(() => {
  if (host !== undefined) render(null, host)
  host?.remove()
  host = undefined
})

const named = (chart: HTMLElement, name: string) =>
  [...chart.querySelectorAll('text.chart-name')].find(({ textContent }) => textContent === name)

const lit = (chart: HTMLElement) =>
  [...chart.querySelectorAll('.chart-name.is-active')].map(({ textContent }) => textContent).sort()

test('a chart lights its active state, and the line and the label that led there', () => {
  const chart = draw({
    layout: CHART_LAYOUTS.task,
    active: ['leased'],
    last: { from: 'ready', to: 'leased', event: 'leasesGranted', key: 1 },
  })
  expect(lit(chart)).toEqual(['leased'])
  expect(chart.querySelectorAll('.chart-line.is-taken')).toHaveLength(1)
  expect(chart.querySelector('.chart-label.is-taken')?.textContent).toBe('leasesGranted')
  draw({
    layout: CHART_LAYOUTS.connection,
    active: ['failed'],
    last: { from: 'ready.fresh', to: 'failed', event: 'closed', guard: 'isFinal', key: 2 },
  })
  expect(lit(chart)).toEqual(['failed'])
  expect(chart.querySelector('.chart-label.is-taken')?.textContent).toBe('closed [isFinal]')
})

test('a state inside another lights both, and regions light one state each', () => {
  expect(lit(draw({ layout: CHART_LAYOUTS.connection, active: ['ready.fresh'] }))).toEqual(['fresh', 'ready'])
  expect(lit(draw({ layout: CHART_LAYOUTS.session, active: ['connected'] }))).toEqual([
    'connected',
    'flowing',
    'reading',
    'serving',
  ])
})

test('a chart is an image with a text, which says where the machine is and what happened last', () => {
  const chart = draw({
    layout: CHART_LAYOUTS.session,
    active: ['connected.reading.paused'],
    last: { from: 'connected.reading.reading', to: 'connected.reading.paused', event: 'overdraw', key: 1 },
  })
  const text = chart.getAttribute('aria-label')
  expect(text).toContain('State chart of a session.')
  expect(text).toContain('Active: connected.reading.paused, connected.delivery.flowing and connected.service.serving.')
  expect(text).toContain('The latest transition: overdraw, from connected.reading.reading to connected.reading.paused.')
  for (const state of ['awaitingHello', 'authenticating', 'disconnected', 'closed']) expect(text).toContain(state)
  expect(draw({ layout: CHART_LAYOUTS.broker, active: [] }).getAttribute('aria-label')).toContain('No state is active.')
})

test('every state and every event is real text', () => {
  const chart = draw({ layout: CHART_LAYOUTS.outboxItem, active: [] })
  const texts = [...chart.querySelectorAll('text.chart-name')].map(({ textContent }) => textContent)
  expect(texts).toEqual(expect.arrayContaining(['unsaved', 'parked', 'discarded']))
  expect(chart.querySelector('svg')?.textContent).toContain('authenticate')
})

test('a narrow screen shows the active state, and the rest by keys and by scrolling', () => {
  const chart = draw({ layout: CHART_LAYOUTS.connection, active: ['idle'] })
  expect(chart.scrollWidth).toBeGreaterThan(chart.clientWidth)
  expect(chart.clientWidth).toBeLessThanOrEqual(360)
  for (const state of ['stopped', 'idle', 'backingOff']) {
    draw({ layout: CHART_LAYOUTS.connection, active: [state] })
    const box = named(chart, state)!.getBoundingClientRect()
    const frame = chart.getBoundingClientRect()
    expect(box.left, state).toBeGreaterThanOrEqual(frame.left)
    expect(box.right, state).toBeLessThanOrEqual(frame.right)
    expect(box.top, state).toBeGreaterThanOrEqual(frame.top)
    expect(box.bottom, state).toBeLessThanOrEqual(frame.bottom)
  }
  chart.focus()
  expect(document.activeElement).toBe(chart)
})

test('a chart that a person holds does not move by itself', () => {
  const chart = draw({ layout: CHART_LAYOUTS.connection, active: ['idle'] })
  chart.focus()
  const { scrollTop } = chart
  draw({ layout: CHART_LAYOUTS.connection, active: ['stopped'] })
  expect(chart.scrollTop).toBe(scrollTop)
})

test.each(['light', 'dark'])('axe finds nothing serious in the %s', async (scheme) => {
  document.documentElement.style.colorScheme = scheme
  for (const layout of Object.values(CHART_LAYOUTS)) {
    draw({ layout, active: [layout.nodes.at(-1)!.id] })
    const { violations } = await axe.run(host!)
    const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
    expect(serious.map(({ id, nodes }) => `${id} ${nodes[0]?.html}`)).toEqual([])
  }
  document.documentElement.style.colorScheme = ''
})

test.each([
  ['no-preference', 'chart-take'],
  ['reduce', 'none'],
])('the line of a new transition is drawn in, unless less motion is wished: %s', async (value, animation) => {
  const session = cdp() as unknown as { send: (method: string, params: object) => Promise<void> }
  const wish = (wished: string) =>
    session.send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-reduced-motion', value: wished }] })
  await wish(value)
  try {
    const last = { from: 'ready', to: 'draining', event: 'drain', key: 1 }
    const chart = draw({ layout: CHART_LAYOUTS.broker, active: ['draining'], last })
    const line = chart.querySelector('.chart-line.is-taken')!
    expect(getComputedStyle(line).animationName).toBe(animation)
    draw({ layout: CHART_LAYOUTS.broker, active: ['draining'], last: { ...last, key: 2 } })
    expect(chart.querySelector('.chart-line.is-taken')).not.toBe(line)
  } finally {
    await wish('')
  }
})
