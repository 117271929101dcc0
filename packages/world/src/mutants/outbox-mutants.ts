import { mutantsOf } from './mutant.ts'

/** Bugs in the outbox of a client. */
export const OUTBOX_MUTANTS = mutantsOf('client', [
  {
    name: 'outbox takes sent for accepted',
    in: 'Sender.#send',
    insert: "void this.#options.store.remove([item.id], 'strict')",
    after: "this.#live.move(live, 'send')",
    breaks: 'an item whose answer is lost with its tab is lost, too',
  },
  {
    name: 'wish to cancel saved without care',
    in: 'DurableClient.#change',
    find: "this.#options.store.change(changes, 'strict')",
    put: "this.#options.store.change(changes, 'relaxed')",
    breaks: 'a cancellation that counts as saved is forgotten when the device loses its power',
  },
  {
    name: 'outbox calls saved what is in memory',
    in: 'DurableClient.submit',
    find: "saved.state === 'saved' ? 'unsaved' : saved.state",
    put: 'saved.state',
    breaks: 'a page says that a submission is saved although it is lost with its tab',
  },
  {
    name: 'items pass each other on their key',
    in: 'OrderingKeys.admit',
    find: 'line.busy === undefined && line.held.size === 0',
    put: 'line.held.size === 0',
    breaks: 'an item is accepted before an older one of its ordering key',
  },
  {
    name: 'interrupted items lose their turn',
    in: 'Sender.#readOf',
    drop: 'this.#due.unshift(...items)',
    breaks: 'items that were being read when the connection broke are not sent any more',
  },
])
