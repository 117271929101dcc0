import { DEFAULT_CONFIG, type EngineConfig, engineConfig } from '@sluice/engine'
import { DEFAULT_LIMITS, type Limits } from '@sluice/protocol'
import type { Logger } from 'pino'
import type { TokenSettings } from './access/tokens.ts'
import { problemsOfProxies } from './adapters/client-address.ts'
import { nodeMemory } from './adapters/node-memory.ts'
import type { TlsFiles } from './adapters/tls.ts'
import type { AccessControl } from './core/access/access-control.ts'
import { DEFAULT_QUOTAS, type QuotaConfig } from './core/access/quotas.ts'
import { contradictionsIn, DEFAULT_HOST_CONFIG, type HostConfig } from './core/host-config.ts'
import { memoryBounds } from './core/memory-bounds.ts'
import { BATCH_BODY_BYTES_MAX, type Journal } from './journal/journal.ts'
import { LOOPBACK_ADDRESS } from './loopback.ts'

export interface BrokerConfig {
  /** The journal that stores tasks, or one of your own. Default: SQLite in `.sluice/broker.db`, strict. */
  journal?: { kind: 'sqlite'; path: string; durability?: 'strict' | 'relaxed' } | { kind: 'memory' } | Journal
  /** The address to listen on. Without `access` it must be a loopback address. Default `127.0.0.1`. */
  host?: string
  /** The port. 0 picks a free one. Default 7331. */
  port?: number
  /** Default: the engine's own. The bounds over all queues follow from the memory of this process. */
  engine?: Partial<EngineConfig>
  hosting?: Partial<Omit<HostConfig, 'limits'>> & { limits?: Partial<Limits> }
  /**
   * Access control: where the keys that verify tokens are, or a check of your own. Default: none; everybody may do
   * everything.
   */
  access?: TokenSettings | AccessControl
  /** How much one principal and one address may use. Needs `access`. */
  quotas?: Partial<QuotaConfig>
  /**
   * Serve `wss` and `https` with these files. They are read again when they change. Default: no TLS; a proxy may add
   * it.
   */
  tls?: TlsFiles
  /**
   * Origins whose pages may connect and use the HTTP API, such as `https://app.example.com`. Default none. Without
   * `access`, pages of loopback addresses may connect as well.
   */
  allowedOrigins?: readonly string[]
  /**
   * Names of the broker that `Host` may hold, such as `queue.example.com`. Default: any with `access`, otherwise those
   * of loopback.
   */
  allowedHosts?: readonly string[]
  /**
   * Addresses of proxies in front of the broker, or networks such as `10.0.0.0/8`. `X-Forwarded-For` and `Forwarded`
   * count only if they come from one of them. Default none.
   */
  trustedProxies?: readonly string[]
  /** Default: silent. */
  logger?: Logger
  /** Called when the journal has failed and the broker acknowledges nothing any more. Default: only the log tells. */
  onFailure?: (error: Error) => void
}

/** The keys that each part of a configuration may have. The types say the same, to those who use them. */
const SETTINGS: Record<keyof BrokerConfig, true> = {
  journal: true,
  host: true,
  port: true,
  engine: true,
  hosting: true,
  allowedOrigins: true,
  allowedHosts: true,
  trustedProxies: true,
  access: true,
  quotas: true,
  tls: true,
  logger: true,
  onFailure: true,
}
const ACCESS_SETTINGS: Record<keyof TokenSettings, true> = {
  secret: true,
  keysFile: true,
  jwksUrl: true,
  issuer: true,
  audience: true,
}
const JOURNAL_SETTINGS = { sqlite: { kind: true, path: true, durability: true }, memory: { kind: true } }

/**
 * The complete bounds of the engine and the host.
 * @throws RangeError naming each setting that is unknown or cannot work
 */
export function checkedBounds(config: BrokerConfig): {
  engine: EngineConfig
  hosting: HostConfig
  quotas: QuotaConfig
} {
  const { host = '127.0.0.1', journal, engine, hosting, access, allowedOrigins = [], trustedProxies = [] } = config
  const problems = [
    ...unknownIn('', config, SETTINGS),
    ...unknownIn('engine.', engine, DEFAULT_CONFIG),
    ...unknownIn('quotas.', config.quotas, DEFAULT_QUOTAS),
    ...unknownIn('hosting.', hosting, DEFAULT_HOST_CONFIG),
    ...unknownIn('hosting.limits.', hosting?.limits, DEFAULT_LIMITS),
  ]
  if (!LOOPBACK_ADDRESS.test(host) && access === undefined) {
    problems.push(
      `host ${host} needs access: without it anyone who reaches the broker can submit and take tasks. Set access, or take a loopback address (127.0.0.1, ::1, localhost)`,
    )
  }
  if (access !== undefined && !isAccessControl(access)) problems.push(...unknownIn('access.', access, ACCESS_SETTINGS))
  if (journal !== undefined && !isJournal(journal)) {
    const known = Object.hasOwn(JOURNAL_SETTINGS, journal.kind) ? JOURNAL_SETTINGS[journal.kind] : undefined
    if (known === undefined) problems.push(`journal.kind must be sqlite or memory, not ${String(journal.kind)}`)
    else problems.push(...unknownIn('journal.', journal, known))
    if (journal.kind === 'sqlite' && !['strict', 'relaxed', undefined].includes(journal.durability))
      problems.push(`journal.durability must be strict or relaxed, not ${String(journal.durability)}`)
  }
  for (const origin of allowedOrigins) {
    if (!URL.canParse(origin) || new URL(origin).origin !== origin)
      problems.push(`allowedOrigins must be origins such as https://app.example.com, not ${JSON.stringify(origin)}`)
  }
  problems.push(...problemsOfProxies(trustedProxies))
  const complete = {
    ...DEFAULT_HOST_CONFIG,
    ...hosting,
    limits: { ...DEFAULT_LIMITS, ...hosting?.limits },
  }
  problems.push(...contradictionsIn(complete, isJournal(journal) ? journal.batchBytesMax : BATCH_BODY_BYTES_MAX))
  const quotas = { ...DEFAULT_QUOTAS, ...config.quotas }
  for (const [name, value] of Object.entries(quotas)) {
    if (!Number.isSafeInteger(value) || value < 1)
      problems.push(`${name} must be a whole number of at least 1, not ${String(value)}`)
  }
  if (problems.length > 0) throw new RangeError(problems.join('\n'))
  return { engine: engineConfig({ ...memoryBounds(nodeMemory()), ...engine }), hosting: complete, quotas }
}

/** Whether `access` is a check of the program's own. */
export function isAccessControl(access: TokenSettings | AccessControl): access is AccessControl {
  return 'authenticate' in access
}

/** Whether it is a journal of the program's own. */
export function isJournal(journal: BrokerConfig['journal']): journal is Journal {
  return journal !== undefined && 'append' in journal
}

function unknownIn(where: string, stated: object | undefined, known: object): string[] {
  return Object.keys(stated ?? {})
    .filter((name) => !Object.hasOwn(known, name))
    .map((name) => `${where}${name} is no setting; there are ${Object.keys(known).join(', ')}`)
}
