import type { EngineConfig } from '@sluice/engine'
import * as v from 'valibot'
import type { TokenSettings } from '../access/tokens.ts'
import type { QuotaConfig } from '../core/access/quotas.ts'
import { contradictionsIn, type HostConfig } from '../core/host-config.ts'
import { BATCH_BODY_BYTES_MAX } from '../journal/journal.ts'
import { LOOPBACK_ADDRESS } from '../loopback.ts'
import { isServiceVariable } from './service-variables.ts'
import {
  ENGINE_SETTINGS,
  environmentNameOf,
  flagOf,
  HOST_SETTINGS,
  LIMIT_SETTINGS,
  listOf,
  QUOTA_SETTINGS,
  SETTING_NAMES,
  SETTINGS,
  type SettingName,
  type Settings,
} from './settings.ts'

/** The sources of settings. The first that names a setting wins: flags, then environment, then file. */
export interface ConfigSources {
  /** Flags as typed, by setting name. */
  flags?: Readonly<Record<string, string | undefined>>
  /** Only names that start with `SLUICE_` are read, except those that Kubernetes sets for a service of that name. */
  environment?: Readonly<Record<string, string | undefined>>
  /** The parsed configuration file, and its name for messages. */
  file?: { name: string; content: unknown }
}

/** All settings of a broker, checked and complete. */
export interface BrokerSettings {
  host: string
  port: number
  dataFile: string
  durability: 'strict' | 'relaxed' | 'memory'
  logLevel: Settings['logLevel']
  /** Absent if everybody may do everything. */
  access?: TokenSettings
  tls?: { cert: string; key: string }
  allowedOrigins: string[]
  trustedProxies: string[]
  /** Absent: any name with access control, otherwise those of loopback. */
  allowedHosts?: string[]
  engine: EngineConfig
  hosting: HostConfig
  quotas: QuotaConfig
}

/** One or more settings are unknown or bad. The message has a line for each, with its name and the allowed values. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.problems = problems
  }
}

/** Settings whose values are never shown. */
const SECRETS = new Set<SettingName>(['tokenSecret'])

/** Each of them tells where the keys that verify tokens are. */
const TOKEN_KEYS = ['tokenSecret', 'tokenKeysFile', 'tokenJwksUrl'] as const satisfies SettingName[]

/** Environment variables of the `sluice` command that are not settings of a broker. */
const OTHER_ENVIRONMENT = new Set(['SLUICE_URL', 'SLUICE_CONFIG', 'SLUICE_TOKEN'])

/** The key of the configuration file that tells editors its schema. */
const SCHEMA_KEY = '$schema'

/** A setting as one source states it. */
interface Stated {
  /** The name under which a person finds the setting: `--port`, `SLUICE_PORT`, `port in sluice.config.json`. */
  label: string
  value: unknown
}

/**
 * Merges and checks all settings.
 * @throws ConfigError naming every unknown or bad setting and its allowed values
 */
export function loadConfig(sources: ConfigSources): BrokerSettings {
  const problems: string[] = []
  // In rising precedence. A later source overwrites an earlier one, but a bad value is reported even if it is
  // overwritten.
  const layers = [
    fromFile(sources.file, problems),
    fromEnvironment(sources.environment ?? {}, problems),
    fromFlags(sources.flags ?? {}, problems),
  ]
  const settings: Record<string, unknown> = {}
  for (const name of SETTING_NAMES) {
    settings[name] = SETTINGS[name].default
    for (const layer of layers) {
      const stated = layer.get(name)
      if (stated === undefined) continue
      const checked = v.safeParse(SETTINGS[name].schema, stated.value)
      if (checked.success) settings[name] = checked.output
      else
        problems.push(
          `${stated.label} must be ${SETTINGS[name].allowed}, not ${SECRETS.has(name) ? 'the one given' : shown(stated.value)}`,
        )
    }
  }
  if (problems.length > 0) throw new ConfigError(problems)
  const broker = assemble(settings as Settings)
  problems.push(...contradictions(settings as Settings), ...contradictionsIn(broker.hosting, BATCH_BODY_BYTES_MAX))
  if (problems.length > 0) throw new ConfigError(problems)
  return broker
}

function fromFile(file: ConfigSources['file'], problems: string[]): Map<SettingName, Stated> {
  const layer = new Map<SettingName, Stated>()
  if (file === undefined) return layer
  const { name: fileName, content } = file
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    problems.push(`${fileName} must hold an object of settings, such as { "port": 7331 }`)
    return layer
  }
  for (const [name, value] of Object.entries(content)) {
    if (isSettingName(name)) layer.set(name, { label: `${name} in ${fileName}`, value })
    else if (name !== SCHEMA_KEY) problems.push(unknownSetting(`${name} in ${fileName}`, name, SETTING_NAMES))
  }
  return layer
}

function fromEnvironment(environment: NonNullable<ConfigSources['environment']>, problems: string[]) {
  const layer = new Map<SettingName, Stated>()
  const known = new Map(SETTING_NAMES.map((name) => [environmentNameOf(name), name]))
  for (const [label, text] of Object.entries(environment)) {
    if (text === undefined || !label.startsWith('SLUICE_') || OTHER_ENVIRONMENT.has(label)) continue
    if (isServiceVariable(label, text)) continue
    const name = known.get(label)
    if (name === undefined) problems.push(unknownSetting(label, label, [...known.keys()]))
    else layer.set(name, { label, value: read(name, text) })
  }
  return layer
}

function fromFlags(flags: NonNullable<ConfigSources['flags']>, problems: string[]): Map<SettingName, Stated> {
  const layer = new Map<SettingName, Stated>()
  for (const [name, text] of Object.entries(flags)) {
    if (text === undefined) continue
    if (isSettingName(name)) layer.set(name, { label: flagOf(name), value: read(name, text) })
    else problems.push(unknownSetting(name, name, SETTING_NAMES))
  }
  return layer
}

function isSettingName(name: string): name is SettingName {
  return Object.hasOwn(SETTINGS, name)
}

/** Converts text to the setting's type. Text that is no number stays text, so that the message can show it. */
function read(name: SettingName, text: string): unknown {
  return SETTINGS[name].type === 'number' && /^-?\d+$/.test(text.trim()) ? Number(text) : text
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? String(value)).slice(0, 100)
}

/** Bounds that cannot both hold. */
function contradictions(settings: Settings): string[] {
  const pairs: [SettingName, SettingName][] = [
    ['retryAfterMsMin', 'retryAfterMsMax'],
    ['defaultRetryDelayMs', 'defaultRetryDelayMsMax'],
  ]
  return pairs
    .filter(([small, large]) => settings[small] > settings[large])
    .map(([small, large]) => `${small} (${settings[small]}) must be at most ${large} (${settings[large]})`)
    .concat(accessContradictions(settings))
}

function accessContradictions(settings: Settings): string[] {
  const { host, tlsCert, tlsKey } = settings
  const keys = TOKEN_KEYS.filter((name) => settings[name] !== '')
  const problems: string[] = []
  if (!LOOPBACK_ADDRESS.test(host) && keys.length === 0)
    problems.push(
      `host ${host} can be reached by others, who then may do everything: set one of ${TOKEN_KEYS.join(', ')} (sluice token --help shows how), or take 127.0.0.1`,
    )
  if (keys.length > 1) problems.push(`${keys.join(' and ')} cannot be set together: take one`)
  if ((tlsCert === '') !== (tlsKey === '')) problems.push('tlsCert and tlsKey belong together: set both')
  return problems
}

function unknownSetting(label: string, name: string, known: readonly string[]): string {
  const near = nearest(name, known)
  return `${label} is no setting${near === undefined ? '.' : `; did you mean ${near}?`} Settings: ${known.join(', ')}`
}

/** The known name with the fewest edits, if they are few enough for a typing mistake. */
function nearest(name: string, known: readonly string[]): string | undefined {
  let best: string | undefined
  let fewest = Math.max(2, Math.floor(name.length / 4)) + 1
  for (const candidate of known) {
    const count = edits(name.toLowerCase(), candidate.toLowerCase())
    if (count < fewest) {
      best = candidate
      fewest = count
    }
  }
  return best
}

/** Levenshtein's distance. */
function edits(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1))
    }
    row = next
  }
  return row[b.length]!
}

function assemble(settings: Settings): BrokerSettings {
  const { host, port, dataFile, durability, logLevel, tlsCert, tlsKey } = settings
  const access = accessOf(settings)
  return {
    host,
    port,
    dataFile,
    durability,
    logLevel,
    ...(access === undefined ? {} : { access }),
    ...(tlsCert === '' ? {} : { tls: { cert: tlsCert, key: tlsKey } }),
    allowedOrigins: listOf(settings.allowedOrigins),
    trustedProxies: listOf(settings.trustedProxies),
    ...(settings.allowedHosts === '' ? {} : { allowedHosts: listOf(settings.allowedHosts) }),
    engine: {
      ...pick(settings, ENGINE_SETTINGS),
      defaults: {
        priority: settings.defaultPriority,
        delayMs: settings.defaultDelayMs,
        ttlMs: settings.defaultTtlMs,
        leaseMs: settings.defaultLeaseMs,
        timeLimitMs: settings.defaultTimeLimitMs,
        resultTtlMs: settings.defaultResultTtlMs,
        retry: {
          kind: settings.defaultRetryKind,
          attemptsMax: settings.defaultRetryAttemptsMax,
          delayMs: settings.defaultRetryDelayMs,
          delayMsMax: settings.defaultRetryDelayMsMax,
          jitter: settings.defaultRetryJitter,
        },
      },
    },
    hosting: { ...pick(settings, HOST_SETTINGS), limits: pick(settings, LIMIT_SETTINGS) },
    quotas: pick(settings, QUOTA_SETTINGS),
  }
}

function accessOf(settings: Settings): TokenSettings | undefined {
  const { tokenSecret, tokenKeysFile, tokenJwksUrl, tokenIssuer, tokenAudience } = settings
  if (TOKEN_KEYS.every((name) => settings[name] === '')) return undefined
  return {
    ...(tokenSecret === '' ? {} : { secret: tokenSecret }),
    ...(tokenKeysFile === '' ? {} : { keysFile: tokenKeysFile }),
    ...(tokenJwksUrl === '' ? {} : { jwksUrl: tokenJwksUrl }),
    ...(tokenIssuer === '' ? {} : { issuer: tokenIssuer }),
    ...(tokenAudience === '' ? {} : { audience: tokenAudience }),
  }
}

function pick<K extends SettingName>(settings: Settings, names: Record<K, unknown>): Pick<Settings, K> {
  const picked = Object.keys(names).map((name) => [name, settings[name as K]])
  return Object.fromEntries(picked) as Pick<Settings, K>
}
