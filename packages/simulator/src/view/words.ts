import type { Change, Scenario } from '@sluice/world'
import { faultText } from '@sluice/world'

/** Such as `8 ms`, `1.2 s`, `3 min 20 s`. */
export function spanText(ms: number): string {
  if (ms < 9.95) return `${Math.round(ms * 10) / 10} ms`
  if (ms < 999.5) return `${Math.round(ms)} ms`
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`
  const s = Math.round(ms / 1000)
  return s % 60 === 0 ? `${s / 60} min` : `${Math.floor(s / 60)} min ${s % 60} s`
}

/** An instant on a clock without fractions, such as `45 s` or `3:20`. */
export function clockText(ms: number): string {
  const s = Math.round(ms / 1000)
  if (ms < 60_000) return ms % 1000 === 0 ? `${s} s` : `${(ms / 1000).toFixed(1)} s`
  const hours = Math.floor(s / 3600)
  const minutes = Math.floor(s / 60) % 60
  const rest = String(s % 60).padStart(2, '0')
  return hours === 0 ? `${minutes}:${rest}` : `${hours}:${String(minutes).padStart(2, '0')}:${rest}`
}

/** An instant to a tenth of a second, such as `12.3 s` or `3:20.5`. */
export function momentText(ms: number): string {
  const tenths = Math.floor(ms / 100)
  if (tenths < 600) return `${(tenths / 10).toFixed(1)} s`
  const minutes = Math.floor(tenths / 600)
  return `${minutes}:${((tenths - minutes * 600) / 10).toFixed(1).padStart(4, '0')}`
}

/** An instant to the ms, such as `12.345 s` or `3:20.500`. */
export function instantText(ms: number): string {
  if (ms < 60_000) return `${(ms / 1000).toFixed(3)} s`
  const minutes = Math.floor(ms / 60_000)
  return `${minutes}:${(ms / 1000 - minutes * 60).toFixed(3).padStart(6, '0')}`
}

const NUMBERS = new Intl.NumberFormat('en')

/** With commas, such as `12,345`. */
export function numberText(value: number): string {
  return NUMBERS.format(value)
}

/** Such as `1 task` or `3 tasks`. */
export function countText(count: number, one: string, many = `${one}s`): string {
  return `${numberText(count)} ${count === 1 ? one : many}`
}

/** Such as `worker-1, worker-2 and worker-3`. */
export function listText(names: readonly string[]): string {
  if (names.length <= 1) return names.join()
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
}

/** Begins with a capital letter, unless it begins with the name of a machine or a task. */
export function sentence(text: string): string {
  return /^(?:[a-z]+-\d|#)/.test(text) ? text : text.charAt(0).toUpperCase() + text.slice(1)
}

/** The same text, which breaks neither between a number and its unit nor in the name of a machine. */
export function unbroken(text: string): string {
  return text.replace(/(\d) (?=(?:ms|s|min|%)(?!\w))/g, '$1\u00a0').replace(/-(?=\d)/g, '-\u2060')
}

/** What a hand has changed. */
export function changeText(change: Change): string {
  switch (change.type) {
    case 'fault':
      return `a fault by hand: ${faultText(change.fault)}`
    case 'endFaults':
      return 'all faults are ended by hand'
    case 'arrivals':
      return `producers of group ${change.group + 1} now submit ${arrivalsText(change.arrivals)}`
    case 'producers':
      return `group ${change.group + 1} now has ${countText(change.count, 'producer')}`
    case 'workers':
      return `group ${change.group + 1} now has ${countText(change.count, 'worker')}`
    case 'concurrency':
      return `each worker of group ${change.group + 1} now has ${countText(change.concurrency, 'slot')}`
    case 'service':
      return `handlers of ${change.queue} now work in another way`
    case 'delay':
      return 'messages now take another time'
    case 'append':
      return 'the disk now takes another time'
    case 'reseed':
      return `chance goes on from seed ${change.seed}`
  }
}

function arrivalsText(arrivals: Scenario['producers'][number]['arrivals']): string {
  switch (arrivals.kind) {
    case 'steady':
      return `${arrivals.rate} tasks a second, evenly`
    case 'poisson':
      return `${arrivals.rate} tasks a second, at random`
    case 'burst':
      return `${countText(arrivals.size, 'task')} at once, every ${spanText(arrivals.everyMs)}`
    case 'ramp':
      return `${arrivals.from} tasks a second at first and ${arrivals.to} in the end`
    case 'closedLoop':
      return `${countText(arrivals.inFlight, 'task')} at a time`
  }
}

/** Why a task is a dead letter. */
export function deadText(reason: string): string {
  switch (reason) {
    case 'attempts_exhausted':
      return 'its last allowed attempt has failed'
    case 'not_retryable':
      return 'its handler said that another attempt cannot help'
    case 'expired':
      return 'it was not delivered in time'
    case 'lease_expired':
      return 'its last allowed attempt was lost with its worker'
    default:
      return reason
  }
}

/** The message of an error without the name of its class. */
export function reasonText(reason: string): string {
  return reason.replace(/^\w*Error: /, '')
}

/** How a machine went away. */
export function stopText(how: 'left' | 'crashed' | 'failed', reason: string | undefined): string {
  const why = reason === undefined ? '' : `: ${reason}`
  return how === 'left' ? `leaves in good order${why}` : how === 'crashed' ? `crashes${why}` : `gives up${why}`
}
