import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { AnyHandler } from '@sluice/client'
import { isQueueName } from '@sluice/protocol'
import { moduleFailure } from './module-failure.ts'

/** Handlers by the name of their queue. */
export type Handlers = Record<string, AnyHandler>

type AnyContractHandler = Exclude<AnyHandler, (...args: never[]) => unknown>

/** A module of handlers cannot be used; the message says why and what it should look like. */
export class HandlerModuleError extends Error {
  override readonly name = 'HandlerModuleError'
}

const CONVENTION =
  "export default { 'queue.name': async (input, ctx) => … }, or named exports made with handle(contract, async (input, ctx) => …)"

/**
 * Loads a module of handlers, in one of two forms:
 * - a default export that maps queue names to handlers, each a function or made with `handle(contract, fn)`;
 * - named exports made with `handle(contract, fn)`; other exports are left alone.
 *
 * @param module a path, relative to the working directory, or a file URL
 * @throws HandlerModuleError when there is no such file, it does not load, or it holds no usable handlers
 */
export async function loadHandlers(module: string | URL): Promise<Handlers> {
  const url = moduleUrl(module)
  const path = fileURLToPath(url)
  const file = await stat(path).catch(() => null)
  if (!file?.isFile()) {
    throw new HandlerModuleError(
      `no module of handlers at ${path}: check the path, it is taken from the working directory`,
    )
  }
  let exported: Record<string, unknown>
  try {
    exported = (await import(url.href)) as Record<string, unknown>
  } catch (error) {
    throw new HandlerModuleError(`${path} does not load: ${moduleFailure(error, url)}`, { cause: error })
  }
  const handlers = exported.default === undefined ? fromNames(exported, path) : fromDefault(exported.default, path)
  if (Object.keys(handlers).length === 0) {
    throw new HandlerModuleError(`${path} exports no handlers: write ${CONVENTION}`)
  }
  for (const queue of Object.keys(handlers)) {
    if (!isQueueName(queue)) {
      throw new HandlerModuleError(`'${queue}' in ${path} is no queue name: letters, digits and . _ : / - are allowed`)
    }
  }
  return handlers
}

/** The URL of a module given as a path or a URL. */
export function moduleUrl(module: string | URL): URL {
  if (module instanceof URL) {
    return module
  }
  return module.startsWith('file:') ? new URL(module) : pathToFileURL(resolve(module))
}

function fromDefault(record: unknown, path: string): Handlers {
  if (typeof record !== 'object' || record === null) {
    throw new HandlerModuleError(`the default export of ${path} is not an object of handlers: write ${CONVENTION}`)
  }
  if (isContractHandler(record)) {
    return { [record.contract.queue]: record }
  }
  const handlers: Handlers = {}
  for (const [queue, value] of Object.entries(record)) {
    if (typeof value === 'function') {
      handlers[queue] = value as AnyHandler
    } else if (isContractHandler(value)) {
      if (value.contract.queue !== queue) {
        throw new HandlerModuleError(
          `${path} names its handler '${queue}', but its contract is for the queue '${value.contract.queue}'`,
        )
      }
      handlers[queue] = value
    } else {
      throw new HandlerModuleError(
        `'${queue}' in ${path} is neither a function nor { contract, handle }: write ${CONVENTION}`,
      )
    }
  }
  return handlers
}

function fromNames(exported: Record<string, unknown>, path: string): Handlers {
  const handlers: Handlers = {}
  for (const value of Object.values(exported)) {
    if (!isContractHandler(value)) {
      continue
    }
    const { queue } = value.contract
    if (Object.hasOwn(handlers, queue)) {
      throw new HandlerModuleError(`${path} exports two handlers for the queue '${queue}'`)
    }
    handlers[queue] = value
  }
  return handlers
}

function isContractHandler(value: unknown): value is AnyContractHandler {
  if (typeof value !== 'object' || value === null || !('handle' in value) || !('contract' in value)) {
    return false
  }
  const { contract, handle } = value
  return (
    typeof handle === 'function' &&
    typeof contract === 'object' &&
    contract !== null &&
    'queue' in contract &&
    typeof contract.queue === 'string'
  )
}
