import { isQueueName, type SubmitOptions } from '@sluice/protocol'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { badMessage } from './errors.ts'
import { noQueueName } from './queue-name.ts'
import { choice, wireOptions } from './submit-options.ts'
import type { TaskContract } from './task-contract.ts'

/** The options of a call, including those that are not sent. */
export interface CallTerms extends SubmitOptions {
  watch?: boolean
  onBusy?: 'wait' | 'throw'
}

/** What a submission asks for. Thousands of submissions share one such object. */
export interface Terms {
  /** Undefined for a handle made from an id alone. */
  readonly queue: string | undefined
  readonly output: StandardSchemaV1 | undefined
  readonly options: SubmitOptions | undefined
  readonly watched: boolean
  /** Whether `submit()` rejects on a `busy` refusal instead of waiting. */
  readonly throwsBusy: boolean
  /** Equal for submissions that may share a message. */
  readonly key: string
}

/**
 * The terms of a call.
 * @throws SluiceError `bad_message` naming the fault
 */
export function termsOf(
  contract: TaskContract<unknown, unknown>,
  call: CallTerms | undefined,
  nameLengthMax: number,
): Terms {
  const { queue, output } = contract
  if (!isQueueName(queue) || queue.length > nameLengthMax) throw badMessage(noQueueName(queue, nameLengthMax), 'queue')
  const options = wireOptions(contract.options, call)
  const watched = choice('watch', call?.watch ?? true, [true, false])
  const onBusy = choice('onBusy', call?.onBusy ?? 'wait', ['wait', 'throw'])
  const key = `${queue}${options === undefined ? '' : ` ${JSON.stringify(options)}`}${watched ? '' : ' unwatched'}`
  return { queue, output, options, watched, throwsBusy: onBusy === 'throw', key }
}
