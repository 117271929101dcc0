/**
 * Faults as data. A script of them can be written by hand, saved, replayed, and reduced to the few that matter. Nodes
 * are named `broker`, `producer-1`, `worker-1`, `tab-1` and so on, and devices with a browser `browser-1`.
 */
export type Fault =
  /** The process ends at once, with everything that was not on its disk. It comes back after a while. */
  | { type: 'crash'; node: string; restartAfterMs: number }
  /** The process is asked to leave in good order, as by SIGTERM. A new one starts afterwards. */
  | { type: 'restart'; node: string; restartAfterMs: number }
  /**
   * The process pauses (SIGSTOP, a closed laptop, a long garbage collection): its timers fire late, its input waits.
   */
  | { type: 'pause'; node: string; forMs: number }
  /** Everything that the process does takes longer: each input and each timer is late by this much. */
  | { type: 'slow'; node: string; byMs: number; forMs: number }
  /** Its wall clock is set. Monotonic clocks go on. A process that starts later sees the new time. */
  | { type: 'clockJump'; node: string; byMs: number }
  /** Its connections are lost, and both ends are told. */
  | { type: 'reset'; node: string }
  /** Its connections are lost, and only this node is told. To its peers they look open and silent. */
  | { type: 'halfOpen'; node: string }
  /** Nothing passes between this node and the others; messages wait. Connections survive a short partition. */
  | { type: 'partition'; node: string; forMs: number }
  /**
   * The node reads nothing from its sockets for a while, or a piece of each every `everyMs`. What is sent to it fills
   * buffers.
   */
  | { type: 'slowReader'; node: string; forMs: number; everyMs?: number }
  /** Every message to and from the node takes this much longer. */
  | { type: 'delay'; node: string; byMs: number; forMs: number }
  /** Every append and every read of the journal takes this much longer. */
  | { type: 'slowDisk'; byMs: number; forMs: number }
  /** Every append and every read of the journal fails until the broker is restarted. */
  | { type: 'failingDisk' }
  /** Appends fail for lack of space until the broker is restarted after this long. */
  | { type: 'fullDisk'; forMs: number }
  /**
   * The power fails: a crash of the broker that also loses what its disk had not synced, where the last write may be
   * torn. Nobody is told, and the machine answers nothing until it is back.
   */
  | { type: 'powerLoss'; restartAfterMs: number }
  /** The tab goes into the back/forward cache: its page is told, and nothing of it runs until it is back. */
  | { type: 'hide'; node: string; forMs: number }
  /** A device is without power for a while: its tabs end, and its storage may forget what was not strict. */
  | { type: 'deviceCrash'; node: string; forMs: number }
  /** The storage of a device is full, does not answer, or cannot be used. */
  | { type: 'storeFailure'; node: string; how: 'full' | 'silent' | 'unavailable'; forMs: number }

export interface TimedFault {
  /** In world time. No fault begins after the scenario's `durationMs`, and none that finds nothing to harm. */
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
  hide: true,
  deviceCrash: true,
  storeFailure: true,
}

export const FAULT_TYPES: readonly FaultType[] = Object.keys(EVERY_TYPE) as FaultType[]

/** They need a browser. */
export const BROWSER_FAULT_TYPES = ['hide', 'deviceCrash', 'storeFailure'] as const satisfies readonly FaultType[]

/** Mean time between faults of each kind in ms, over the whole world. A kind that is left out never happens. */
export type FaultRates = { readonly [Type in FaultType]?: number }
