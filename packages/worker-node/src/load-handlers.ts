import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { type Handlers, handlersByQueue } from '@sluice/client'
import { moduleFailure } from './module-failure.ts'

/** A module of handlers cannot be used. The message tells why, and what the module should look like. */
export class HandlerModuleError extends Error {
  override readonly name = 'HandlerModuleError'
}

const CONVENTION =
  "export default { 'queue.name': async (input, ctx) => … }, or named exports made with handle(contract, async (input, ctx) => …)"

/**
 * Loads a module of handlers, in one of two forms:
 * - a default export that maps queue names to handlers, each a function or made with `handle(contract, fn)`, or a list
 *   of the latter;
 * - named exports made with `handle(contract, fn)`; other exports are ignored.
 *
 * CommonJS works as well: `module.exports` is the default export, and so is `exports.default` of code that was compiled
 * to CommonJS.
 * @param module a path, relative to the working directory, or a file URL
 * @throws HandlerModuleError if there is no such file, it does not load, or it holds no usable handlers
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
    exported = namespaceOf((await import(url.href)) as Record<string, unknown>)
  } catch (error) {
    throw new HandlerModuleError(`${path} does not load: ${moduleFailure(error, url)}`, { cause: error })
  }
  let handlers: Handlers
  try {
    const contracted = Object.values(exported).filter(isContracted)
    handlers = handlersByQueue(exported.default ?? contracted)
  } catch (error) {
    throw new HandlerModuleError(`${path}: ${(error as Error).message}. Write ${CONVENTION}`)
  }
  if (Object.keys(handlers).length === 0) {
    throw new HandlerModuleError(`${path} exports no handlers: write ${CONVENTION}`)
  }
  return handlers
}

/** A compiled CommonJS module is an object with a flag. An ES module sees that object as the default export. */
function namespaceOf(exported: Record<string, unknown>): Record<string, unknown> {
  const { default: whole } = exported
  const isCompiled = typeof whole === 'object' && whole !== null && '__esModule' in whole
  return isCompiled ? (whole as Record<string, unknown>) : exported
}

/** The URL of a module given as a path or a URL. */
export function moduleUrl(module: string | URL): URL {
  if (module instanceof URL) {
    return module
  }
  return module.startsWith('file:') ? new URL(module) : pathToFileURL(resolve(module))
}

function isContracted(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'contract' in value && 'handle' in value
}
