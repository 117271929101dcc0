export { readConfigFile } from './config-file.ts'
export { type BrokerSettings, ConfigError, type ConfigSources, loadConfig } from './load-config.ts'
export { environmentNameOf, flagOf, SETTING_NAMES, SETTINGS, type Setting, type SettingName } from './settings.ts'
