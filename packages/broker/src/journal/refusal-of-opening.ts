import { accessSync, closeSync, constants, existsSync, openSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Why the system can open neither the file nor another one in its directory. The file itself is not opened: see
 * `makeFile`.
 */
export function refusalOfOpening(path: string): string | undefined {
  try {
    if (existsSync(path)) accessSync(path, constants.R_OK | constants.W_OK)
    accessSync(dirname(path), constants.W_OK | constants.X_OK)
    closeSync(openSync(dirname(path), 'r'))
    return undefined
  } catch (error) {
    return (error as NodeJS.ErrnoException).code
  }
}
