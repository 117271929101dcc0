import type { Fault } from '@sluice/world'
import type { PartKind } from '../view/stage-view.ts'

export interface FaultByHand {
  label: string
  /** What it does, for a person who has never heard of it. */
  meaning: string
  fault: (node: string) => Fault
}

const FOR_MS = 5000

const ANYWHERE: readonly FaultByHand[] = [
  {
    label: 'Crash',
    meaning: 'The process ends at once. A new one starts after 5 s.',
    fault: (node) => ({ type: 'crash', node, restartAfterMs: FOR_MS }),
  },
  {
    label: 'Pause 5 s',
    meaning: 'Nothing runs in it, as in a laptop that is closed. What arrives waits.',
    fault: (node) => ({ type: 'pause', node, forMs: FOR_MS }),
  },
  {
    label: 'Cut off 5 s',
    meaning: 'No message passes between it and the others.',
    fault: (node) => ({ type: 'partition', node, forMs: FOR_MS }),
  },
  {
    label: 'Restart',
    meaning: 'It leaves in good order, as at a deployment, and comes back after 1 s.',
    fault: (node) => ({ type: 'restart', node, restartAfterMs: 1000 }),
  },
]

const OF_CLIENTS: readonly FaultByHand[] = [
  ...ANYWHERE,
  {
    label: 'Reset connection',
    meaning: 'Its connection is lost, and both sides are told.',
    fault: (node) => ({ type: 'reset', node }),
  },
  {
    label: 'Half-open',
    meaning: 'Its connection is lost, and the broker is not told.',
    fault: (node) => ({ type: 'halfOpen', node }),
  },
  {
    label: 'Slow 5 s',
    meaning: 'Everything that it does is late by a second.',
    fault: (node) => ({ type: 'slow', node, byMs: 1000, forMs: FOR_MS }),
  },
  {
    label: 'Reads nothing 5 s',
    meaning: 'It does not read what it is sent, and buffers fill.',
    fault: (node) => ({ type: 'slowReader', node, forMs: FOR_MS }),
  },
  {
    label: 'Clock +1 h',
    meaning: 'Its wall clock is set ahead by an hour.',
    fault: (node) => ({ type: 'clockJump', node, byMs: 3_600_000 }),
  },
]

const OF_BROKER: readonly FaultByHand[] = [
  ...ANYWHERE,
  {
    label: 'Power loss',
    meaning: 'It ends at once and loses what its disk had not synced. It is back after 5 s.',
    fault: () => ({ type: 'powerLoss', restartAfterMs: FOR_MS }),
  },
  {
    label: 'Slow disk 5 s',
    meaning: 'Every append to the journal takes a second longer.',
    fault: () => ({ type: 'slowDisk', byMs: 1000, forMs: FOR_MS }),
  },
  {
    label: 'Full disk 5 s',
    meaning: 'Nothing can be written, until the broker starts again with room.',
    fault: () => ({ type: 'fullDisk', forMs: FOR_MS }),
  },
  {
    label: 'Failing disk',
    meaning: 'Every read and append fails until the broker starts again.',
    fault: () => ({ type: 'failingDisk' }),
  },
]

const OF_TABS: readonly FaultByHand[] = [
  {
    label: 'Hide 5 s',
    meaning: 'The tab goes into the back/forward cache. Nothing of it runs.',
    fault: (node) => ({ type: 'hide', node, forMs: FOR_MS }),
  },
  ...OF_CLIENTS,
]

/** What a hand can do to a part. */
export function faultsOf(kind: PartKind): readonly FaultByHand[] {
  switch (kind) {
    case 'broker':
      return OF_BROKER
    case 'tab':
      return OF_TABS
    default:
      return OF_CLIENTS
  }
}

/** What a hand can do to the device of a tab. */
export const DEVICE_FAULTS: readonly FaultByHand[] = [
  {
    label: 'Device crash',
    meaning: 'The device is without power for 5 s. Its storage may forget what was not strict.',
    fault: (node) => ({ type: 'deviceCrash', node, forMs: FOR_MS }),
  },
  {
    label: 'Storage full 5 s',
    meaning: 'Nothing more can be saved on the device.',
    fault: (node) => ({ type: 'storeFailure', node, how: 'full', forMs: FOR_MS }),
  },
  {
    label: 'Storage hangs 5 s',
    meaning: 'The storage of the device does not answer.',
    fault: (node) => ({ type: 'storeFailure', node, how: 'silent', forMs: FOR_MS }),
  },
  {
    label: 'Storage gone 5 s',
    meaning: 'The storage cannot be used, as in some private windows.',
    fault: (node) => ({ type: 'storeFailure', node, how: 'unavailable', forMs: FOR_MS }),
  },
]
