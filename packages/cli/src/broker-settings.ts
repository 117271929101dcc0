import { type BrokerSettings, ConfigError, loadConfig, readConfigFile } from '@sluice/broker/config'
import { CommandError, EXIT } from './exit-code.ts'

/** Settings as typed, by name, and the other flags of a command. */
export type BrokerFlags = Record<string, string | undefined> & { config?: string; json?: boolean }

/**
 * The settings of a broker from flags, environment and file.
 * @throws CommandError naming each setting that is unknown or bad
 */
export function settingsFrom({ config, json: _json, ...flags }: BrokerFlags): BrokerSettings {
  try {
    const file = readConfigFile(config ?? process.env.SLUICE_CONFIG)
    return loadConfig({ flags, environment: process.env, ...(file === undefined ? {} : { file }) })
  } catch (caught) {
    if (!(caught instanceof ConfigError)) throw caught
    throw new CommandError(caught.message, EXIT.usage)
  }
}
