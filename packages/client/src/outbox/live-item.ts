import { nextOutboxItemState, type OutboxItemEvent } from '@sluice/machines'
import type { OutboxItemState } from '@sluice/machines/states'
import type { Platform } from '../platform.ts'
import type { OutboxItem, StoredState } from './item.ts'
import type { ItemView } from './outbox-client.ts'

type Listener = Pick<Platform, 'onTransition'>

/** An item that this tab works on, in the state that an app shows. */
export class LiveItem {
  item: OutboxItem
  state: OutboxItemState
  /** The newest value that the handler has reported. */
  progress: unknown
  /** Its outcome is known and is being stored. */
  isEnding = false
  /** Ends the sending. */
  readonly sending = new AbortController()
  readonly #listener: Listener

  constructor(item: OutboxItem, isDurable: boolean, listener: Listener) {
    this.item = item
    this.state = shownState(item.state, isDurable)
    this.#listener = listener
  }

  get id(): string {
    return this.item.id
  }

  /** @throws if the item's state has no such change */
  move(event: OutboxItemEvent): void {
    const from = this.state
    this.state = nextOutboxItemState(from, event)
    tellStep(this.#listener, this.id, from, event)
  }

  /** The item as a durable store has it. */
  get stored(): LiveItem {
    return new LiveItem(this.item, true, this.#listener)
  }

  get view(): ItemView {
    return { ...this.item, state: this.state, ...(this.progress === undefined ? {} : { progress: this.progress }) }
  }
}

/** What an app shows of a stored state. Only a durable store has saved anything. */
export function shownState(state: StoredState, isDurable: boolean): OutboxItemState {
  return state === 'saved' && !isDurable ? 'unsaved' : state
}

/** Tells of one step of an item. An item in hand tells of its steps itself, and the client of the others. */
export function tellStep(listener: Listener, id: string, from: OutboxItemState, event: OutboxItemEvent): void {
  if (listener.onTransition === undefined) return
  listener.onTransition({ machine: 'outboxItem', id, from, to: nextOutboxItemState(from, event), event })
}

/** Tells that an item was removed. If it was under way, it has been given back before. */
export function tellDiscard(listener: Listener, { id, state }: ItemView, isInMemory: boolean): void {
  const givenBack = isInMemory ? 'unsaved' : 'saved'
  tellStep(listener, id, state === 'sending' ? givenBack : state, 'discard')
}
