/**
 * What goes wrong, as data: a script of these can be written by hand, saved, replayed, and cut down to the few that matter.
 * Nodes are named `broker`, `producer-1`, `worker-1` and so on.
 */
export type Fault =
  /** The process is gone at once, with all that was not on its disk; it comes back after a while. */
  | { type: 'crash'; node: string; restartAfterMs: number }
  /** The process is asked to leave in good order, as by SIGTERM, and a new one starts afterwards. */
  | { type: 'restart'; node: string; restartAfterMs: number }
  /** The process stands still (SIGSTOP, a closed laptop, a long collection): its timers fire late, its input waits. */
  | { type: 'pause'; node: string; forMs: number }
  /** Everything it does takes longer: each input and each timer is late by this much. */
  | { type: 'slow'; node: string; byMs: number; forMs: number }
  /** Its wall clock is set. Monotonic clocks go on; a process started later sees the new time. */
  | { type: 'clockJump'; node: string; byMs: number }
  /** Its connections are lost, and both ends hear of it. */
  | { type: 'reset'; node: string }
  /** Its connections are lost, and only it hears of it: to its peers they look open and silent. */
  | { type: 'halfOpen'; node: string }
  /** Nothing passes between it and the others; what is sent waits. Connections outlive it when it is short. */
  | { type: 'partition'; node: string; forMs: number }
  /** It reads nothing from its sockets for a while, or a piece of each only every `everyMs`; what is sent to it fills buffers. */
  | { type: 'slowReader'; node: string; forMs: number; everyMs?: number }
  /** Every message to and from it takes this much longer. */
  | { type: 'delay'; node: string; byMs: number; forMs: number }
  /** Every append and every read of the journal takes this much longer. */
  | { type: 'slowDisk'; byMs: number; forMs: number }
  /** Every append and every read of the journal fails until the broker is restarted. */
  | { type: 'failingDisk' }
  /** Appends fail for want of room until the broker is restarted after this long. */
  | { type: 'fullDisk'; forMs: number }
  /**
   * The power goes: a crash of the broker that also loses what its disk had not synced; the last write may be torn. Nobody is told, and nobody who
   * speaks to the machine hears anything until it is back.
   */
  | { type: 'powerLoss'; restartAfterMs: number }

export interface TimedFault {
  /** World time. None begins once the scenario's `durationMs` is over, and none that finds nothing to harm. */
  atMs: number
  fault: Fault
}

export type FaultType = Fault['type']

const EVERY_TYPE: Record<FaultType, true> = {
  crash: true,
  restart: true,
  pause: true,
  slow: true,
  clockJump: true,
  reset: true,
  halfOpen: true,
  partition: true,
  slowReader: true,
  delay: true,
  slowDisk: true,
  failingDisk: true,
  fullDisk: true,
  powerLoss: true,
}

export const FAULT_TYPES: readonly FaultType[] = Object.keys(EVERY_TYPE) as FaultType[]

/** Mean time between faults of each kind in ms, over the whole world; a kind that is left out never happens. */
export type FaultRates = { readonly [Type in FaultType]?: number }
