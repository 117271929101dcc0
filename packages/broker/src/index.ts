/**
 * Accepts tasks, stores them and delivers them to workers.
 * @module @sluice/broker
 */
export { readToken, signToken, type TokenSettings, tokenAccess } from './access/tokens.ts'
export { type Broker, createBroker } from './broker.ts'
export type { BrokerConfig } from './broker-config.ts'
export * from './config/index.ts'
export { type AccessControl, AccessError, type Principal } from './core/access/access-control.ts'
export { problemsOfScopes, Scopes } from './core/access/scopes.ts'
export {
  type Batch,
  type Journal,
  JournalDamagedError,
  JournalLockedError,
  JournalPlaceError,
} from './journal/journal.ts'
export { copyJournal, type JournalCopy } from './journal/sqlite-copy.ts'
