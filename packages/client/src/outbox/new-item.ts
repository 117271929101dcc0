import { DEFAULT_LIMITS, isTaskId } from '@sluice/protocol'
import { encodeInput } from '../client.ts'
import { strictJson, UnsendableError } from '../encode-value.ts'
import { badMessage } from '../errors.ts'
import { messageOf } from '../logger.ts'
import type { TaskContract } from '../task-contract.ts'
import { termsOf } from '../terms.ts'
import { ITEM_VERSION, type NewItem } from './item.ts'
import type { OutboxSubmitOptions } from './outbox-client.ts'

/** The bounds of what an app adds to an item, in characters. */
const TEXT_LENGTH_MAX = 200
const LABEL_LENGTH_MAX = 4096

/** What all items of a client have in common. */
export interface ItemSource {
  owner: string
  inputVersion: number
  nextId: () => string
}

/**
 * The item of one submission.
 * @throws SluiceError `bad_message` naming the field
 */
export function newItem(
  { owner, inputVersion, nextId }: ItemSource,
  contract: TaskContract<unknown, unknown>,
  input: unknown,
  call: OutboxSubmitOptions,
): NewItem {
  const { id, orderingKey, intent, label, ...options } = call
  if (id !== undefined && !isTaskId(id)) throw badMessage(`a task id is a UUIDv7 in lower case, not ${id}`, 'id')
  const terms = termsOf(contract, options, DEFAULT_LIMITS.nameLengthMax)
  return {
    version: ITEM_VERSION,
    inputVersion,
    id: id ?? nextId(),
    owner,
    queue: contract.queue,
    body: encodeInput(input),
    ...(terms.options === undefined ? {} : { options: terms.options }),
    ...(orderingKey === undefined ? {} : { orderingKey: checkText('orderingKey', orderingKey) }),
    ...(intent === undefined ? {} : { intent: checkText('intent', intent) }),
    ...(label === undefined ? {} : { label: labelOf(label) }),
  }
}

/** @throws SluiceError `bad_message` naming the field if it is not a text of 1 – 200 characters */
export function checkText(field: string, value: string): string {
  if (typeof value === 'string' && value.length >= 1 && value.length <= TEXT_LENGTH_MAX) return value
  throw badMessage(`${field} has to be a text of 1 to ${TEXT_LENGTH_MAX} characters`, field)
}

/** A copy of a label. */
function labelOf(label: unknown): unknown {
  let text: string
  try {
    text = strictJson(label, 'label')
  } catch (error) {
    throw badMessage(
      `the label cannot be kept: ${messageOf(error)}`,
      error instanceof UnsendableError ? error.path : 'label',
    )
  }
  if (text.length > LABEL_LENGTH_MAX)
    throw badMessage(`the label has ${text.length} characters as JSON, at most ${LABEL_LENGTH_MAX} are kept`, 'label')
  return JSON.parse(text)
}
