/**
 * The queue itself: pure and deterministic.
 * @module @sluice/engine
 */
export * from './commands.ts'
export * from './config.ts'
export * from './decide.ts'
export * from './effects.ts'
export * from './entities.ts'
export * from './events.ts'
export * from './evolve.ts'
export type { GrantTerms } from './grant-terms.ts'
export { HISTORY_LENGTH_MAX, HISTORY_MAX } from './history.ts'
export * from './lifecycle.ts'
export * from './records.ts'
export { unknownTask } from './refusal.ts'
export * from './replay.ts'
export { isSilent } from './silence.ts'
export * from './state.ts'
export * from './task.ts'
