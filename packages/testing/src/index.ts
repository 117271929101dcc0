/**
 * A broker in memory, a virtual clock and a task context, for tests.
 * @module @sluice/testing
 */
export { settled } from './platform.ts'
export { type Attempt, type AttemptOptions, type LogLine, runTask } from './run-task.ts'
export { createTestBroker, type TestBroker, type TestBrokerOptions } from './test-broker.ts'
export { VirtualClock } from './virtual-clock.ts'
