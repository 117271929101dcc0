import { nextOutboxItemState, type OutboxItemEvent } from '@sluice/machines'
import type { OutboxItemState } from '@sluice/machines/states'
import type { OutboxItem, StoredState } from './item.ts'
import type { ItemView } from './outbox-client.ts'

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

  constructor(item: OutboxItem, isDurable: boolean) {
    this.item = item
    this.state = shownState(item.state, isDurable)
  }

  get id(): string {
    return this.item.id
  }

  /** @throws if the item's state has no such change */
  move(event: OutboxItemEvent): void {
    this.state = nextOutboxItemState(this.state, event)
  }

  get view(): ItemView {
    return { ...this.item, state: this.state, ...(this.progress === undefined ? {} : { progress: this.progress }) }
  }
}

/** What an app shows of a stored state. Only a durable store has saved anything. */
export function shownState(state: StoredState, isDurable: boolean): OutboxItemState {
  return state === 'saved' && !isDurable ? 'unsaved' : state
}
