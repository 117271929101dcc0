/**
 * Accepts tasks, stores them and delivers them to workers.
 * @module @sluice/broker
 */
export { type Broker, createBroker } from './broker.ts'
export type { BrokerConfig } from './broker-config.ts'
export * from './config/index.ts'
export { type Batch, type Journal, JournalDamagedError, JournalLockedError } from './journal/journal.ts'
