/**
 * The state machines, as tables and as charts.
 * @module @sluice/machines
 */
export * from './broker.ts'
export type { Chart, ChartAction, ChartState, ChartTransition, ChartTransitions } from './chart.ts'
export { type ChartOwner, ChartRunner, type ChartStep } from './chart-runner.ts'
export * from './connection.ts'
export { machineOf } from './machine-of.ts'
export * from './machines.ts'
export * from './outbox-item.ts'
export * from './producer.ts'
export * from './session.ts'
export * from './states.ts'
export * from './tab-worker.ts'
export * from './worker.ts'
export * from './worker-slot.ts'
