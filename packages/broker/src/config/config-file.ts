import { readFileSync } from 'node:fs'
import { ConfigError, type ConfigSources } from './load-config.ts'

const DEFAULT_FILE = 'sluice.config.json'

/**
 * Reads the configuration file at `path`, which must exist. Without a path, reads `sluice.config.json` of the working
 * directory if there is one.
 * @throws ConfigError if it cannot be read or is not JSON
 */
export function readConfigFile(path: string | undefined): ConfigSources['file'] {
  const name = path ?? DEFAULT_FILE
  let text: string
  try {
    text = readFileSync(name, 'utf8')
  } catch (caught) {
    const { code, message } = caught as NodeJS.ErrnoException
    if (path === undefined && code === 'ENOENT') return undefined
    throw new ConfigError([`The configuration file ${name} cannot be read: ${message}`])
  }
  try {
    return { name, content: JSON.parse(text) }
  } catch (caught) {
    throw new ConfigError([`The configuration file ${name} is not JSON: ${(caught as Error).message}`])
  }
}
