import { randomBytes } from 'node:crypto'
import { uuidv7Source } from '@sluice/protocol/uuidv7'
import { pino } from 'pino'
import packageJson from '../package.json' with { type: 'json' }
import { tokenAccess } from './access/tokens.ts'
import { addressSource } from './adapters/client-address.ts'
import { nodePlatform } from './adapters/node-platform.ts'
import { serveNode } from './adapters/node-ws.ts'
import { type BrokerConfig, checkedBounds, isAccessControl, isJournal } from './broker-config.ts'
import type { AccessControl } from './core/access/access-control.ts'
import { createBrokerCore } from './core/broker-core.ts'
import { createHttpApp } from './http/app.ts'
import type { Journal } from './journal/journal.ts'
import { memoryJournal } from './journal/memory.ts'
import { sqliteJournal } from './journal/sqlite.ts'

export interface Broker {
  /** `ws://127.0.0.1:7331` */
  readonly url: string
  readonly httpUrl: string
  readonly port: number
  /** The number of leased tasks. */
  readonly leased: number
  /**
   * Announces the drain and accepts nothing new. Resolves when no lease is left, after `waitMs` (default 10,000), or
   * when the broker closes or fails.
   */
  drain(waitMs?: number): Promise<void>
  /** Writes what is pending and answers HTTP requests, then closes every connection, the journal and the port. */
  close(): Promise<void>
}

const DEFAULT_PORT = 7331
const WARNINGS = {
  relaxed: 'durability is relaxed: a loss of power can lose tasks accepted just before',
  memory: 'durability is memory: every task is lost when this process ends',
}
const OPEN =
  'there is no access control: everybody who reaches this broker may do everything. Set a token secret or keys before you let others in'
const DRAIN_WAIT_MS = 10_000

/**
 * Starts a broker in this process.
 * @throws RangeError naming each setting that is unknown or cannot work; JournalLockedError if another broker has the
 * file open; JournalDamagedError; Node's error if the address cannot be listened on
 */
export async function createBroker(config: BrokerConfig = {}): Promise<Broker> {
  const {
    host: address = '127.0.0.1',
    port = DEFAULT_PORT,
    allowedOrigins = [],
    allowedHosts,
    trustedProxies = [],
    tls,
    logger: log = pino({ level: 'silent' }),
  } = config
  const { engine, hosting, quotas } = checkedBounds(config)
  const access = accessOf(config.access)
  if (access === undefined) log.warn({}, OPEN)
  const journal = openJournal(config.journal)
  const { durability } = journal
  if (durability !== 'strict') log.warn({ durability }, WARNINGS[durability])
  const platform = nodePlatform()
  const core = createBrokerCore({
    journal,
    platform,
    engine,
    config: hosting,
    log,
    access,
    quotas,
    version: packageJson.version,
    onFailure: config.onFailure ?? (() => {}),
  })
  await core.start()
  try {
    const newId = uuidv7Source({ epochMs: () => Date.now(), randomBytes: (count) => randomBytes(count) })
    const app = createHttpApp(core.api, {
      limits: hosting.limits,
      newId,
      allowedOrigins,
      ...(allowedHosts === undefined ? {} : { allowedHosts }),
      access,
      secretId: platform.secretId,
      onError: (error) => log.error({ err: error }, 'an HTTP request failed'),
    })
    const server = await serveNode({
      host: address,
      port,
      app,
      broker: core,
      log,
      allowedOrigins,
      allowedHosts: allowedHosts ?? (access === undefined ? [] : undefined),
      trustsLoopbackPages: access === undefined,
      addressOf: addressSource(trustedProxies),
      tls,
    })
    const s = tls === undefined ? '' : 's'
    const authority = `${address.includes(':') ? `[${address}]` : address}:${server.port}`
    log.info({ url: `ws${s}://${authority}`, durability }, 'listening')
    let closing: Promise<void> | undefined
    return {
      url: `ws${s}://${authority}`,
      httpUrl: `http${s}://${authority}`,
      port: server.port,
      get leased() {
        return core.leased
      },
      async drain(waitMs = DRAIN_WAIT_MS) {
        await core.drain(waitMs)
        log.info({ leased: core.leased }, 'drained')
      },
      close() {
        closing ??= (async () => {
          try {
            await core.stop()
          } finally {
            await server.close()
          }
          log.info({}, 'closed')
        })()
        return closing
      },
    }
  } catch (error) {
    await core.stop()
    throw error
  }
}

function accessOf(access: BrokerConfig['access']): AccessControl | undefined {
  return access === undefined || isAccessControl(access) ? access : tokenAccess(access)
}

function openJournal(config: BrokerConfig['journal'] = { kind: 'sqlite', path: '.sluice/broker.db' }): Journal {
  if (isJournal(config)) return config
  if (config.kind === 'memory') return memoryJournal({ keepEvents: false })
  return sqliteJournal({ path: config.path, durability: config.durability ?? 'strict' })
}
