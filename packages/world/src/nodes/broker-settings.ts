import { BATCH_BODY_BYTES_MAX, contradictionsIn, DEFAULT_HOST_CONFIG, type HostConfig } from '@sluice/broker/core'
import { type EngineConfig, engineConfig } from '@sluice/engine'
import type { Scenario } from '../scenario.ts'

/** The complete bounds and periods that a broker is started with. */
export interface BrokerSettings {
  engine: EngineConfig
  hosting: HostConfig
}

/**
 * The settings of a scenario's broker.
 * @throws RangeError naming each setting with which the product would not start either
 */
export function brokerSettings({ engine, hosting }: Pick<Scenario, 'engine' | 'hosting'>): BrokerSettings {
  const complete = { ...DEFAULT_HOST_CONFIG, ...hosting }
  const problems = contradictionsIn(complete, BATCH_BODY_BYTES_MAX)
  if (problems.length > 0) throw new RangeError(problems.join('\n'))
  return { engine: engineConfig(engine), hosting: complete }
}
