import type { EngineConfig } from '@sluice/engine'
import type { BrokerState } from '@sluice/machines/states'
import type { WireError } from '@sluice/protocol'
import type { Journal } from '../journal/journal.ts'
import type { AccessControl } from './access/access-control.ts'
import type { QuotaConfig } from './access/quotas.ts'
import type { BrokerApi } from './broker-api.ts'
import { Compaction } from './compaction.ts'
import type { Connection } from './connection.ts'
import { Host } from './host.ts'
import { HostApi } from './host-api.ts'
import { contradictionsIn, type HostConfig } from './host-config.ts'
import type { HostLog, HostPlatform, Transport } from './platform.ts'

export interface BrokerCoreOptions {
  /** Any journal that passes the contract. The core opens and closes it. */
  journal: Journal
  platform: HostPlatform
  engine: EngineConfig
  config: HostConfig
  log: HostLog
  /** Access control. Default: everybody may do everything. */
  access?: AccessControl | undefined
  /** How much one principal and one address may use, with access control. Default `DEFAULT_QUOTAS`. */
  quotas?: QuotaConfig | undefined
  /** The version that `health` reports. */
  version: string
  /** Called when the broker has failed. It acknowledges nothing any more, and only a restart helps. */
  onFailure: (error: Error) => void
}

/** A broker that runs anywhere: give it a journal, a platform, and a transport for each connection. */
export interface BrokerCore {
  readonly status: BrokerState
  readonly config: HostConfig
  /** The API for HTTP and the command line. */
  readonly api: BrokerApi
  /** The number of leased tasks. */
  readonly leased: number
  /** The engine behind the connections, for inspection. */
  readonly host: Host
  /**
   * Recovers the state from the journal, then takes connections.
   * @throws if the journal is locked, damaged or not writable, or holds something that fits no frame; the journal is
   * closed then
   */
  start(): Promise<void>
  /** A new connection. Undefined if the broker takes none now; then the transport has been closed with the reason. */
  connect(transport: Transport): Connection | undefined
  /** A request over HTTP from this address. Returns a function that ends it, or a refusal if it has too many. */
  request(address: string): (() => void) | WireError
  /**
   * Announces that the broker leaves and accepts nothing new. Resolves when no lease is left, after `waitMs`, or when
   * the broker stops or fails.
   */
  drain(waitMs: number): Promise<void>
  /** Writes what is pending, then closes every connection and the journal. Further calls wait for the first. */
  stop(): Promise<void>
}

const DRAIN_LOOK_EVERY_MS = 20

/** @throws RangeError naming each setting that cannot work alone, with others, or with this journal */
export function createBrokerCore({ version, ...options }: BrokerCoreOptions): BrokerCore {
  const { journal, platform, config } = options
  const problems = contradictionsIn(config, journal.batchBytesMax)
  if (problems.length > 0) throw new RangeError(problems.join('\n'))
  const host = new Host(options)
  const compaction = new Compaction(host)
  return {
    host,
    config,
    api: new HostApi(host, version),
    get status() {
      return host.status
    },
    get leased() {
      return leasedIn(host)
    },
    async start() {
      try {
        await host.start()
      } catch (error) {
        // A started host has timers, which would continue to write.
        if (host.status === 'starting') await journal.close()
        else await host.stop()
        throw error
      }
      compaction.start()
    },
    connect: (transport) => host.connect(transport),
    request: (address) => host.quotas?.request(address) ?? (() => {}),
    async drain(waitMs) {
      host.drain()
      const endsAtMs = platform.nowMs() + waitMs
      while (host.status === 'draining' && leasedIn(host) > 0 && platform.nowMs() < endsAtMs)
        await new Promise<void>((resolve) => {
          platform.setTimer(resolve, DRAIN_LOOK_EVERY_MS)
        })
    },
    stop() {
      compaction.stop()
      return host.stop()
    },
  }
}

function leasedIn({ state }: Host): number {
  let leased = 0
  for (const queue of state.queues.values()) leased += queue.leased.size
  return leased
}
