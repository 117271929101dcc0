import type { PauseReason, TabWorkerSnapshot } from './tab-worker-snapshot.ts'

/** The texts of the element. Replace any of them, for example in another language. */
export interface ElementWords {
  heading: string
  /** What the person is asked. Say here for whom the tab works. */
  question: string
  agree: string
  start: string
  pause: string
  resume: string
  stop: string
  revoke: string
  /** The label of the slider. `percent` is 5 – 100. */
  share: (percent: number) => string
  done: (tasks: number) => string
  state: (snapshot: TabWorkerSnapshot) => string
}

const REASONS: Readonly<Record<PauseReason, string>> = {
  owner: 'you paused it',
  hours: 'it is outside the hours that you set',
  battery: 'the device runs on its battery',
  pressure: 'the device is busy with other things',
  frozen: 'the browser has put this tab to sleep',
  away: 'the page is in the background',
}

/** A sentence for each state. */
function stateText(snapshot: TabWorkerSnapshot): string {
  switch (snapshot.state) {
    case 'asking':
      return 'Waiting for your answer'
    case 'off':
      return 'Off'
    case 'connecting':
      return snapshot.trouble === undefined ? 'Connecting' : `Not connected yet, trying again: ${snapshot.trouble}`
    case 'working':
      return snapshot.stats.running > 0 ? 'Working' : 'Ready, waiting for work'
    case 'paused':
      return `Paused: ${snapshot.pausedBy.map((reason) => REASONS[reason]).join(', and ')}`
    case 'draining':
      return 'Finishing its last tasks'
    case 'failed':
      return `It cannot work: ${snapshot.failure.message}`
    case 'stopped':
      return 'Stopped'
  }
}

export const ENGLISH: Readonly<ElementWords> = {
  heading: 'Lend this tab',
  question:
    'This page asks to use a part of your processor while the tab is open. It works on tasks of this site, reads nothing ' +
    'of yours, and stops at once when you say so.',
  agree: 'Yes, it may',
  start: 'Start',
  pause: 'Pause',
  resume: 'Go on',
  stop: 'Stop',
  revoke: 'Take back my consent',
  share: (percent) => `Processor time: ${percent} %`,
  done: (tasks) => (tasks === 1 ? '1 task done' : `${tasks} tasks done`),
  state: stateText,
}
