import type { ObservedMachine } from '@sluice/machines/states'

/**
 * How a chart is drawn. A group is a frame around states, and a transition that all of them have is drawn once, from
 * the frame. Groups may hold groups, by their names.
 */
export interface Drawing {
  /** Whether boxes stand in line or lines are short. Which one looks better has to be seen. */
  prefers: 'alignment' | 'shortness'
  groups: Readonly<Record<string, readonly string[]>>
}

export const DRAWINGS: Readonly<Record<ObservedMachine, Drawing>> = {
  connection: {
    prefers: 'shortness',
    groups: {
      '#trying': ['connecting', 'handshaking', 'ready'],
      '#any': ['idle', '#trying', 'draining', 'backingOff'],
    },
  },
  producer: {
    prefers: 'shortness',
    groups: { '#open': ['offline', 'online', 'paused'], '#any': ['#open', 'closing'] },
  },
  worker: {
    prefers: 'alignment',
    groups: { '#any': ['starting', 'working', 'draining', 'aborting'] },
  },
  workerSlot: { prefers: 'shortness', groups: {} },
  outboxItem: {
    prefers: 'shortness',
    groups: {
      '#unsent': ['unsaved', 'saved', 'needsAuth'],
      '#told': ['accepted', 'running', 'cancelling'],
      '#ended': ['done', 'failed', 'cancelled'],
    },
  },
  session: { prefers: 'alignment', groups: { '#new': ['awaitingHello', 'authenticating'] } },
  broker: {
    prefers: 'alignment',
    groups: { '#healthy': ['starting', 'ready', 'draining'], '#any': ['#healthy', 'read_only'] },
  },
  task: {
    prefers: 'shortness',
    groups: { '#unfinished': ['delayed', 'ready', 'leased'], '#finished': ['succeeded', 'dead', 'cancelled'] },
  },
}
