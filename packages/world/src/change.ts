import type { Distribution } from './distribution.ts'
import type { Fault } from './fault.ts'
import type { Arrivals, Service } from './scenario.ts'

/**
 * What a hand can do to a running world. Groups are named by their place in the scenario, from 0. A change is plain
 * data, so that a run with changes is replayed from scenario, seed and changes.
 */
export type Change =
  | { type: 'fault'; fault: Fault }
  /** Every fault that goes on ends, and those that the scenario plans do not begin any more. */
  | { type: 'endFaults' }
  /** How tasks arrive at each producer of this group from now on. */
  | { type: 'arrivals'; group: number; arrivals: Arrivals }
  /** How many producers or workers the group has. New ones start at once; those too many leave in good order. */
  | { type: 'producers'; group: number; count: number }
  | { type: 'workers'; group: number; count: number }
  /** How many handlers each worker of the group runs at once. */
  | { type: 'concurrency'; group: number; concurrency: number }
  /** How handlers of the group serve this queue. What is left out stays as it was. */
  | { type: 'service'; group: number; queue: string; service: Partial<Service> }
  /** How long a message takes one way. */
  | { type: 'delay'; delayMs: Distribution }
  /** How long an append to the journal takes. */
  | { type: 'append'; appendMs: Distribution }
  /**
   * Every random number from now on comes from this seed, a safe integer of at least 0: the past stays, and another
   * future follows. Faults by chance stay as they are, because they are drawn when the world begins.
   */
  | { type: 'reseed'; seed: number }

export interface TimedChange {
  /** In world time. It comes after everything that happens at this time by itself. */
  readonly atMs: number
  readonly change: Change
}
