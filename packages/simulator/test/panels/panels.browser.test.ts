import axe from 'axe-core'
import { type ComponentChild, h, render } from 'preact'
import { act } from 'preact/test-utils'
import { afterEach, beforeAll, expect, test, vi } from 'vitest'
import { userEvent } from 'vitest/browser'
import { Run } from '../../src/engine/run.ts'
import { ExportMenu } from '../../src/panels/export-menu.tsx'
import { GanttPanel } from '../../src/panels/gantt-panel.tsx'
import { MeasuresPanel } from '../../src/panels/measures-panel.tsx'
import { NarrationPanel } from '../../src/panels/narration-panel.tsx'
import { StoryPanel } from '../../src/panels/story-panel.tsx'
import '../../src/ui/theme.css'
import { troubledScenario } from '../view/troubled-scenario.ts'

const AT_MS = 45_000
const run = new Run({ scenario: troubledScenario, seed: 1, changes: [] })
beforeAll(() => run.reach(AT_MS))

const place = document.createElement('main')
document.body.append(place)
afterEach(() => render(null, place))

function show(panel: ComponentChild): void {
  act(() => render(panel, place))
}

/** What axe finds that is serious or worse. The dark scheme differs in its colours only. */
async function seriousFindings(): Promise<string[]> {
  const found: string[] = []
  for (const scheme of ['light', 'dark'] as const) {
    document.documentElement.style.colorScheme = scheme
    document.body.style.background = 'var(--surface)'
    const { violations } = await axe.run(place, scheme === 'light' ? {} : { runOnly: ['color-contrast'] })
    const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
    found.push(...serious.map(({ id, nodes }) => `${scheme}: ${id}: ${nodes[0]?.html}`))
  }
  document.documentElement.style.colorScheme = ''
  return found
}

const button = (name: string): HTMLButtonElement =>
  [...place.querySelectorAll('button')].find(({ textContent }) => textContent?.startsWith(name)) as HTMLButtonElement

test('figures are read with the arrow keys, and what they say is announced', async () => {
  const measures = run.measures(AT_MS)
  show(h(MeasuresPanel, { measures }))
  expect(place.querySelectorAll('canvas').length).toBe(13)
  expect(await seriousFindings()).toEqual([])
  const first = place.querySelector<HTMLElement>('[role=slider]')
  first?.focus()
  await userEvent.keyboard('{End}{ArrowLeft}{ArrowLeft}')
  expect(first?.getAttribute('aria-valuetext')).toBe('43 s')
  const announced = place.querySelector('figure [aria-live]')?.textContent
  expect(announced).toBe(
    `43 s: submitted ${measures.series.submitted[42]} /s, throughput ${measures.series.succeeded[42]} /s, goodput ${measures.series.inTime[42]} /s`,
  )
  await userEvent.keyboard('{Escape}')
  expect(first?.getAttribute('aria-valuetext')).toBe('45 s')
})

test('the same numbers are in a table', async () => {
  const measures = run.measures(AT_MS)
  show(h(MeasuresPanel, { measures }))
  act(() => button('Table').click())
  const rows = [...place.querySelectorAll('tbody tr')].map((row) =>
    [...row.children].map(({ textContent }) => textContent),
  )
  expect(rows.length).toBe(45)
  expect(rows[2]?.slice(0, 2)).toEqual(['43 s', `${measures.series.submitted[42]} /s`])
  expect(await seriousFindings()).toEqual([])
})

test('a bar of the Gantt chart is reached with the keyboard and opens the story of its task', async () => {
  const onTask = vi.fn()
  const gantt = run.gantt(AT_MS - 20_000, AT_MS)
  show(h(GanttPanel, { gantt, onTask }))
  expect(place.querySelectorAll('.bar').length).toBe(gantt.spans.length)
  expect(await seriousFindings()).toEqual([])
  const reached = place.querySelectorAll<SVGElement>('.bar[tabindex="0"]')
  expect(reached.length).toBe(1)
  reached[0]?.focus()
  await userEvent.keyboard('{ArrowLeft}')
  const focused = document.activeElement as SVGElement
  expect(focused).not.toBe(reached[0])
  const task = /^#\d+/.exec(focused.getAttribute('aria-label') ?? '')?.[0]
  await userEvent.keyboard('{Enter}')
  expect(onTask.mock.calls).toEqual([[gantt.spans.find((span) => span.task === task)?.id]])
  act(() => button('Table').click())
  expect(place.querySelectorAll('tbody tr').length).toBe(Math.min(200, gantt.spans.length))
  expect(await seriousFindings()).toEqual([])
})

test('a story has each of its steps, with a link to the rule behind it', async () => {
  const id = run.gantt(0, AT_MS).spans.find(({ isDuplicate }) => isDuplicate)?.id as string
  const story = run.story(id, AT_MS)
  show(h(StoryPanel, { story }))
  const links = [...place.querySelectorAll<HTMLAnchorElement>('a.rule')]
  expect(links.map(({ textContent }) => textContent)).toEqual(story.steps.map(({ rule }) => rule))
  expect(links.every(({ href, textContent }) => href.endsWith(`#${textContent}`))).toBe(true)
  expect(await seriousFindings()).toEqual([])
})

test('tasks in the narration open their stories, and routine can be left out', async () => {
  const onTask = vi.fn()
  const happenings = run.narration(AT_MS, 60)
  show(h(NarrationPanel, { happenings, onTask }))
  expect(place.querySelectorAll('.log > li').length).toBe(happenings.length)
  expect(await seriousFindings()).toEqual([])
  const task = place.querySelector<HTMLButtonElement>('button.task')
  act(() => task?.click())
  const named = happenings.flatMap(({ tasks }) => tasks).find((one) => one.task === task?.textContent)
  expect(onTask.mock.calls).toEqual([[named?.id]])
  act(() => place.querySelector('input')?.click())
  expect(place.querySelectorAll('.log > li').length).toBe(
    happenings.filter(({ weight }) => weight !== 'routine').length,
  )
})

test('the measures are saved as a file, and what cannot be saved is said', async () => {
  const saved: { name: string; href: string }[] = []
  const click = vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(function (this: HTMLAnchorElement) {
    saved.push({ name: this.download, href: this.href })
  })
  show(
    h(ExportMenu, {
      name: 'default-1',
      onPng: () => Promise.reject(new Error('there is no stage')),
      onMeasures: () => Promise.resolve(run.measures(AT_MS)),
      onTrace: (format) => Promise.resolve(run.trace(AT_MS, format)),
    }),
  )
  act(() => button('Save').click())
  expect(await seriousFindings()).toEqual([])
  const said = (): string => place.querySelector('[aria-live]')?.textContent ?? ''
  button('Measures').click()
  await vi.waitFor(() => expect(said()).toBe('Measures is saved as default-1.csv.'))
  const lines = (await (await fetch(saved[0]?.href as string)).text()).trimEnd().split('\r\n')
  expect(saved[0]?.name).toBe('default-1.csv')
  expect(lines.length).toBe(46)
  expect(lines[0]).toMatch(/^until \(ms\),submitted \(\/s\),throughput/)
  button('Picture').click()
  await vi.waitFor(() => expect(said()).toBe('Picture cannot be saved: there is no stage'))
  await userEvent.keyboard('{Escape}')
  expect(button('Save').getAttribute('aria-expanded')).toBe('false')
  click.mockRestore()
})
