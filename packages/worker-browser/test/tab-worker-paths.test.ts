import { TAB_WORKER, type TabWorkerEvent, type TabWorkerState, tabWorkerMachine } from '@sluice/machines'
import { type PathStep, pathsThrough, storyOf, transitionsFrom } from '@sluice/machines/paths'
import { expect, test } from 'vitest'
import type { TabWorker } from '../src/index.ts'
import { FakePage } from './fake-page.ts'

type Step = PathStep<typeof tabWorkerMachine>

const EVENTS = [...new Set(Object.values(TAB_WORKER).flatMap((on) => Object.keys(on)))] as TabWorkerEvent[]
const paths = pathsThrough(tabWorkerMachine, { events: EVENTS.map((type) => ({ type })) })

/** What has a connection to the broker, or wants one. */
const CONNECTED: readonly TabWorkerState[] = ['connecting', 'working', 'draining']

/** A real tab worker. Only its Workers and its browser are fakes. */
class Rig {
  readonly page = new FakePage()
  readonly tab: TabWorker = this.page.tab({ consent: 'ask', logger: silent })
  isClosed = false

  constructor() {
    void this.tab.closed.then(() => (this.isClosed = true))
  }

  async make({ event, before }: Step): Promise<void> {
    const { tab, page } = this
    switch (event.type) {
      case 'agree':
        // Once it was started it goes on by itself; in the chart the start is a step of its own.
        if (before.value === 'asking') tab.stop()
        tab.agree()
        break
      case 'drain':
        void tab.drain()
        break
      case 'close':
        void tab.close()
        break
      case 'connect':
        page.living.at(-1)?.status()
        break
      case 'disconnect':
        page.living.at(-1)?.status({ connection: 'backingOff', trouble: 'the cable is out' })
        break
      case 'leave':
        page.living.at(-1)?.say({ type: 'left' })
        break
      case 'fail':
        page.living.at(-1)?.say({ type: 'failed', failure: { error: { message: 'not you' } } })
        break
      default:
        tab[event.type]()
    }
  }

  /** What the broker side can do only in some states. */
  isPossible({ event, transition, before }: Step): boolean {
    const isOfPage = !['connect', 'disconnect', 'leave', 'fail'].includes(event.type)
    // A pause that holds already before the start is in force after it, so it is no step of its own.
    if (event.type === 'pause' || event.type === 'resume') return transition !== undefined
    if (event.type === 'stop' && before.value === 'asking') return false
    return isOfPage || transition !== undefined
  }

  async check({ after }: Step, story: string): Promise<void> {
    const value = after.value as TabWorkerState
    const { tab, page } = this
    expect(tab.state, story).toBe(value)
    expect(tab.getSnapshot().state, story).toBe(value)
    expect(tab.getSnapshot(), story).toBe(tab.getSnapshot())
    if (CONNECTED.includes(value)) expect(page.living.at(-1)?.last?.type, story).toMatch(/work|drain/)
    else for (const { last } of page.living) expect(last?.type, story).toMatch(/leave|pause/)
    if (value !== 'stopped') return
    for (const connection of page.living) connection.say({ type: 'left' })
    await tab.closed
    expect([page.living.length, page.watches, page.timers.pending], story).toEqual([0, 0, 0])
  }
}

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

test('a real tab worker goes the way of its chart, whatever happens in whatever state', async () => {
  const walked = new Set<string>()
  for (const path of paths) {
    const rig = new Rig()
    const story = storyOf(path)
    for (const step of path) {
      if (step === path.at(-1) && !rig.isPossible(step)) break
      await rig.make(step)
      await rig.check(step, story)
      if (step.transition !== undefined) walked.add(step.transition)
    }
  }
  const all = new Set(paths.flat().flatMap(({ before }) => transitionsFrom(before)))
  expect([...walked].sort()).toEqual([...all].sort())
})
