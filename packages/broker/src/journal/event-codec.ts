import type { Event } from '@sluice/engine'

/** Events that are stored. A refusal changes nothing and is not stored. */
export type StoredEvent = Exclude<Event, { type: 'refused' }>

/**
 * The short name of each event type in a stored batch. It is part of the file format: a name never changes its meaning.
 * The views of the database are made from this table.
 */
export const EVENT_CODES = {
  brokerStarted: 'B',
  checkpointed: 'C',
  principalRevoked: 'pr',
  sessionOpened: 'so',
  sessionResumed: 'sr',
  sessionDisconnected: 'sd',
  sessionClosed: 'sc',
  sessionHeard: 'sh',
  sessionRested: 'se',
  brokerStalled: 'Z',
  creditSet: 'cs',
  tasksAccepted: 'A',
  taskRestated: 'R',
  taskWatched: 'w',
  taskUnwatched: 'u',
  taskReadied: 'r',
  leasesGranted: 'L',
  leasesBegun: 'lb',
  leasesRenewed: 'lr',
  progressReported: 'p',
  tasksSucceeded: 'S',
  attemptFailed: 'f',
  leaseReleased: 'l',
  taskDied: 'D',
  taskCancelled: 'X',
  taskRedriven: 'v',
  taskForgotten: 'F',
  oldestForgotten: 'O',
} as const satisfies Record<StoredEvent['type'], string>
