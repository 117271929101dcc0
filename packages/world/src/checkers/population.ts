import { DEFAULT_HOST_CONFIG, type HostConfig } from '@sluice/broker/core'
import { type EngineConfig, engineConfig } from '@sluice/engine'
import type { Distribution } from '../distribution.ts'
import type { ProducerGroup, Scenario, WorkerGroup } from '../scenario.ts'

/** The bounds in force in a scenario. */
export function boundsOf({ engine, hosting }: Scenario): { engine: EngineConfig; host: HostConfig } {
  return { engine: engineConfig(engine), host: { ...DEFAULT_HOST_CONFIG, ...hosting } }
}

/** The group of a node of the scenario: `worker-1` is the first of the first group. */
export function workerGroupOf({ workers }: Scenario, node: string): WorkerGroup | undefined {
  return groupOf(workers, 'worker-', node)
}

/** As `workerGroupOf`, for a producer. */
export function producerGroupOf({ producers }: Scenario, node: string): ProducerGroup | undefined {
  return groupOf(producers, 'producer-', node)
}

/** Whether messages between a node and the broker arrive as they were sent. */
export function isHonest(scenario: Scenario, node: string): boolean {
  if (isStranger(node)) return false
  const producers = producerGroupOf(scenario, node)
  return producers?.ignoresCredit !== true && (workerGroupOf(scenario, node)?.falsehoods ?? []).length === 0
}

/** Whether a node speaks to the broker without one of its clients and keeps no rules. */
export function isStranger(node: string): boolean {
  return node.startsWith('stranger-')
}

/** Whether a node submits through an outbox. */
export function isTab(node: string): boolean {
  return node.startsWith('tab-')
}

/** Whether all connections of a node belong to one client. */
export function hasOneClient(scenario: Scenario, node: string): boolean {
  const producers = producerGroupOf(scenario, node)
  return producers ? !producers.asksLater : workerGroupOf(scenario, node) !== undefined
}

function groupOf<G extends { count: number }>(groups: readonly G[], prefix: string, node: string): G | undefined {
  if (!node.startsWith(prefix)) return undefined
  let number = Number(node.slice(prefix.length))
  for (const group of groups) {
    if (number <= group.count) return group
    number -= group.count
  }
  return undefined
}

/** The largest value that an exponential distribution gives in all draws of a world. */
const MEANS_MAX = 20

/** The largest value that a world may draw from it. */
export function longestOf(distribution: Distribution): number {
  switch (distribution.kind) {
    case 'constant':
      return distribution.value
    case 'uniform':
    case 'pareto':
      return distribution.max
    case 'exponential':
      return distribution.mean * MEANS_MAX
    case 'bimodal':
      return Math.max(distribution.fast, distribution.slow)
  }
}
