export { type Broker, type BrokerConfig, createBroker } from './broker.ts'
export * from './config/index.ts'
export { JournalDamagedError, JournalLockedError } from './journal/journal.ts'
