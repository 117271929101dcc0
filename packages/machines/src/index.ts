/**
 * The state machines, as tables and as charts.
 * @module @sluice/machines
 */
export * from './broker.ts'
export * from './connection.ts'
export * from './outbox-item.ts'
export * from './producer.ts'
export * from './session.ts'
export * from './states.ts'
export * from './tab-worker.ts'
export * from './worker.ts'
export * from './worker-slot.ts'
