import type { Fault } from './fault.ts'

/** A virtual time, right-aligned in a column of 12. */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(3)} s`.padStart(12)
}

function span(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`
}

/** A fault in words. */
export function faultText(fault: Fault): string {
  switch (fault.type) {
    case 'crash':
      return `${fault.node} crashes and starts again ${span(fault.restartAfterMs)} later`
    case 'restart':
      return `${fault.node} is asked to leave and starts again ${span(fault.restartAfterMs)} later`
    case 'pause':
      return `${fault.node} pauses for ${span(fault.forMs)}`
    case 'slow':
      return `everything on ${fault.node} is ${span(fault.byMs)} late, for ${span(fault.forMs)}`
    case 'clockJump':
      return `the wall clock of ${fault.node} jumps by ${fault.byMs < 0 ? '−' : ''}${span(Math.abs(fault.byMs))}`
    case 'reset':
      return `the connections of ${fault.node} are reset`
    case 'halfOpen':
      return `${fault.node} loses its connections, and its peers are not told`
    case 'partition':
      return `nothing passes to or from ${fault.node} for ${span(fault.forMs)}`
    case 'slowReader':
      return fault.everyMs === undefined
        ? `${fault.node} reads nothing for ${span(fault.forMs)}`
        : `${fault.node} reads a little every ${span(fault.everyMs)}, for ${span(fault.forMs)}`
    case 'delay':
      return `messages to and from ${fault.node} take ${span(fault.byMs)} longer, for ${span(fault.forMs)}`
    case 'slowDisk':
      return `the disk is ${span(fault.byMs)} slower, for ${span(fault.forMs)}`
    case 'failingDisk':
      return 'the disk fails'
    case 'fullDisk':
      return `the disk is full for ${span(fault.forMs)}`
    case 'powerLoss':
      return `the power fails; the broker starts again ${span(fault.restartAfterMs)} later`
    case 'hide':
      return `${fault.node} is hidden and frozen for ${span(fault.forMs)}`
    case 'deviceCrash':
      return `the device of ${fault.node} is without power for ${span(fault.forMs)}`
    case 'storeFailure':
      return `the storage of ${fault.node} is ${fault.how} for ${span(fault.forMs)}`
  }
}
