export { type Broker, createBroker } from './broker.ts'
export type { BrokerConfig } from './broker-config.ts'
export * from './config/index.ts'
export {
  type Batch,
  type Journal,
  JournalDamagedError,
  JournalLockedError,
  JournalPlaceError,
} from './journal/journal.ts'
