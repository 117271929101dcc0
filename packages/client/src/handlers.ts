import { isQueueName } from '@sluice/protocol'
import type { AnyHandler, ContractHandler } from './handler.ts'
import { noQueueName } from './queue-name.ts'

/** Handlers by queue name. */
export type Handlers = Readonly<Record<string, AnyHandler>>

/**
 * Handlers by queue, or a list of handlers with contracts, which name their queues.
 * @throws Error naming the queue whose handler cannot be used
 */
export function handlersByQueue(given: unknown): Record<string, AnyHandler> {
  if (isContractHandler(given)) return { [given.contract.queue]: given }
  if (typeof given !== 'object' || given === null) {
    throw new Error(`handlers is ${kindOf(given)}, not an object of handlers by queue`)
  }
  const handlers: Record<string, AnyHandler> = {}
  const entries: [string, unknown][] = Array.isArray(given) ? given.map(listed) : Object.entries(given)
  for (const [queue, value] of entries) {
    if (!isQueueName(queue)) throw new Error(noQueueName(queue))
    if (Object.hasOwn(handlers, queue)) throw new Error(`there are two handlers for the queue '${queue}'`)
    if (typeof value !== 'function' && !isContractHandler(value)) {
      throw new Error(`the handler for '${queue}' is ${kindOf(value)}: give a function or handle(contract, function)`)
    }
    if (typeof value !== 'function' && value.contract.queue !== queue) {
      throw new Error(
        `the handler is named '${queue}', but its contract is for the queue '${value.contract.queue}': use that name`,
      )
    }
    handlers[queue] = value as AnyHandler
  }
  return handlers
}

/** Whether a value is a result of `handle(contract, function)`. */
export function isContractHandler(value: unknown): value is ContractHandler<unknown, unknown> {
  if (typeof value !== 'object' || value === null || !('handle' in value) || !('contract' in value)) return false
  const { contract, handle } = value
  return (
    typeof handle === 'function' &&
    typeof contract === 'object' &&
    contract !== null &&
    'queue' in contract &&
    typeof contract.queue === 'string'
  )
}

function listed(value: unknown, index: number): [string, unknown] {
  if (isContractHandler(value)) return [value.contract.queue, value]
  throw new Error(`handlers[${index}] is ${kindOf(value)}: a list holds what handle(contract, function) makes`)
}

const kindOf = (value: unknown): string => (value === null ? 'null' : `of type ${typeof value}`)
