import { nextOutboxItemState, type OutboxItemEvent, type OutboxItemState, outboxItemMachine } from '@sluice/machines'
import { type PathStep, pathOf, pathsThrough, storyOf, transitionsFrom } from '@sluice/machines/paths'
import type { Transition } from '@sluice/machines/states'
import { expect, test } from 'vitest'
import type { OutboxClient, OutboxHandle } from '../../src/outbox/outbox-client.ts'
import { FakeTabs } from './fake-tabs.ts'

type Step = PathStep<typeof outboxItemMachine>

const EVENTS = [
  'save',
  'send',
  'giveBack',
  'lapse',
  'lackAuth',
  'authenticate',
  'readmit',
  'accept',
  'refuse',
  'retry',
  'run',
  'cancel',
  'succeed',
  'die',
  'end',
  'discard',
] as const satisfies OutboxItemEvent[]

const fromMemory = pathsThrough(outboxItemMachine, { events: EVENTS.map((type) => ({ type })) })
/** The shortest paths leave from memory. Each of them is tried with a saved item as well. */
const fromStore = fromMemory.map((path) =>
  pathOf(outboxItemMachine, [{ type: 'save' }, ...path.map(({ event }) => event)]),
)
const paths = [...fromMemory, ...fromStore]

/** A real client whose first item is in memory, with a broker that is away. */
class Rig {
  readonly tabs = new FakeTabs()
  readonly client: OutboxClient
  handle!: OutboxHandle
  readonly told: Transition[] = []

  constructor() {
    this.tabs.world.platform.onTransition = (told) => this.told.push(told)
    this.tabs.broker.isDown = true
    this.tabs.storage.fails = 'store_timeout'
    this.client = this.tabs.open({ whenUnsaved: 'memory', token: 'first' }).client
  }

  async begin(): Promise<void> {
    this.handle = await this.client.submit('photos', 1)
  }

  async make(event: OutboxItemEvent, before: string): Promise<void> {
    const { broker, storage } = this.tabs
    const { id } = this.handle
    switch (event) {
      case 'save':
        storage.fails = undefined
        await this.tabs.pass(60_000)
        break
      case 'send':
        broker.isSilent = true
        this.#connect()
        break
      case 'giveBack':
      case 'lapse':
        broker.down()
        break
      case 'lackAuth':
        broker.rejects = 'unauthorized'
        this.#connect()
        break
      case 'authenticate':
      case 'readmit':
        broker.isDown = true
        broker.rejects = undefined
        if (before === 'parked') await this.#retry()
        else this.client.authenticate('second')
        break
      case 'retry':
        await this.#retry()
        break
      case 'accept':
        broker.speak()
        break
      case 'refuse':
        broker.refuses.set('photos', { code: 'bad_message' })
        broker.speak()
        break
      case 'run':
        broker.progress(id, 50)
        break
      case 'cancel':
        broker.isSilent = true
        await this.handle.cancel()
        break
      case 'succeed':
      case 'die':
      case 'end':
        await this.#end(event)
        break
      case 'discard':
        await this.client.discard(id)
    }
    await this.tabs.pass(200)
  }

  #connect(): void {
    this.tabs.broker.isDown = false
    this.client.wake()
  }

  async #retry(): Promise<void> {
    this.tabs.broker.refuses.clear()
    this.tabs.broker.down()
    await this.tabs.pass(10)
    await this.client.retry(this.handle.id)
  }

  /** The wish to cancel may wait for a connection, and comes too late if there is another outcome. */
  async #end(event: 'succeed' | 'die' | 'end'): Promise<void> {
    const { broker } = this.tabs
    const { id } = this.handle
    if (event === 'succeed') broker.finish(id, 'done')
    else if (event === 'die') broker.end(id, 'dead')
    else if (this.handle.state !== 'cancelling') broker.end(id, 'cancelled')
    broker.speak()
    broker.rejects = undefined
    this.client.authenticate('second')
    this.#connect()
    await this.tabs.pass(200)
  }
}

/** The platform is not told that what waits needs a token: that is so for all of them, and for none that is in hand. */
const UNTOLD = ['lackAuth', 'authenticate'] as const

test('an item goes the way of its chart, saved or in memory only, whatever happens to it', async () => {
  const walked = new Set<string>()
  const toldOf = new Set<string>()
  for (const path of paths) {
    if (path.some(({ transition }) => transition === undefined)) continue
    const rig = new Rig()
    await rig.begin()
    const story = storyOf(path)
    let isDurable = false
    for (const { before, event, after, transition } of path) {
      if (event.type === 'save') isDurable = true
      // An item is saved or in memory, so only one of two events can happen to it.
      const forMemory = ['lapse', 'readmit'].includes(event.type)
      const forStored = ['giveBack', 'authenticate', 'retry'].includes(event.type) && before.value !== 'running'
      if ((forMemory && isDurable) || (forStored && !isDurable)) break
      rig.told.length = 0
      await rig.make(event.type as OutboxItemEvent, before.value as string)
      const told = rig.told.filter(({ machine, id }) => machine === 'outboxItem' && id === rig.handle.id)
      for (const { event: type, from, to } of told) {
        expect(nextOutboxItemState(from as OutboxItemState, type as OutboxItemEvent), story).toBe(to)
        toldOf.add(type)
      }
      const view = await rig.client.get(rig.handle.id).catch(() => undefined)
      // A handle keeps the outcome that it has told.
      if (after.value === 'discarded') expect(view, story).toBe(undefined)
      else expect([rig.handle.state, view?.state], story).toEqual([after.value, after.value])
      walked.add(transition!)
    }
    void rig.client.close()
    await rig.tabs.settle()
  }
  const all = new Set(paths.flat().flatMap(({ before }: Step) => transitionsFrom(before)))
  expect([...walked].sort()).toEqual([...all].sort())
  expect([...toldOf].sort()).toEqual(EVENTS.filter((event) => !UNTOLD.some((untold) => untold === event)).sort())
})
