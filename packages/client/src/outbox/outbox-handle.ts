import type { StandardSchemaV1 } from '@standard-schema/spec'
import { checkSignal, withSignal } from '../signal.ts'
import { validate } from '../task-contract.ts'
import type { OutboxHandle } from './outbox-client.ts'
import type { TrackedItem } from './tracked-item.ts'

/** A handle of the item. Several handles of one item share what is known of it. */
export function handleOf<O>(
  item: TrackedItem,
  output: StandardSchemaV1 | undefined,
  cancel: (id: string) => Promise<void>,
): OutboxHandle<O> {
  return {
    id: item.id,
    get state() {
      return item.state
    },
    get accepted() {
      return item.accepted()
    },
    result: async (options) => {
      const { signal } = options ?? {}
      checkSignal(signal)
      const outcome = signal === undefined ? item.outcome() : withSignal(item.outcome(), signal)
      return (await validate(output, await outcome, 'the result')) as O
    },
    progress: (options) => {
      checkSignal(options?.signal)
      return { [Symbol.asyncIterator]: () => item.read(options?.signal) }
    },
    cancel: () => cancel(item.id),
  }
}
