/**
 * The broker without Node, for another runtime or a journal of your own.
 * @module @sluice/broker/core
 */
export { refusalOf } from '../journal/append-check.ts'
export type { StoredEvent } from '../journal/event-codec.ts'
export { EventDecoder } from '../journal/event-decoder.ts'
export { EventEncoder } from '../journal/event-encoder.ts'
export * from '../journal/journal.ts'
export { type MemoryJournalOptions, memoryJournal } from '../journal/memory.ts'
export * from './access/access-control.ts'
export * from './access/scopes.ts'
export * from './broker-api.ts'
export { type BrokerCore, type BrokerCoreOptions, createBrokerCore } from './broker-core.ts'
export { Compaction } from './compaction.ts'
export type { Connection } from './connection.ts'
export { Host } from './host.ts'
export * from './host-config.ts'
export * from './platform.ts'
