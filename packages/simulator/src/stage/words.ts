import type { Fault } from '@sluice/world'
import type { PartView } from '../view/stage-view.ts'

/** What a fault that goes on is called on a part. */
export const TROUBLE_WORDS: Readonly<Record<Fault['type'], string>> = {
  crash: 'crashed',
  restart: 'restarting',
  pause: 'paused',
  slow: 'slow',
  clockJump: 'clock set',
  reset: 'connection reset',
  halfOpen: 'half-open',
  partition: 'cut off',
  slowReader: 'reads slowly',
  delay: 'slow network',
  slowDisk: 'slow disk',
  failingDisk: 'disk fails',
  fullDisk: 'disk full',
  powerLoss: 'no power',
  hide: 'hidden',
  deviceCrash: 'no power',
  storeFailure: 'storage fails',
}

/** One or two words for what a part is doing. */
export function statusOf(part: PartView): string {
  const [trouble] = part.troubles
  if (trouble !== undefined) return TROUBLE_WORDS[trouble as Fault['type']]
  if (!part.isUp) return 'down'
  if (part.kind === 'broker') return 'ready'
  // One tab of a device sends for all of them.
  if (part.kind === 'tab' && part.link === 'none') return 'not sending'
  return part.link === 'open' ? 'connected' : part.link === 'connecting' ? 'connecting' : 'offline'
}

/** How a status is to be taken. */
export function moodOf(part: PartView): 'good' | 'warn' | 'bad' {
  if (!part.isUp) return 'bad'
  if (part.troubles.length > 0) return 'warn'
  return part.kind === 'broker' || part.link === 'open' ? 'good' : 'warn'
}

export function nameOf({ name, kind }: Pick<PartView, 'name' | 'kind'>): string {
  if (kind === 'broker') return 'Broker'
  return `${kind.charAt(0).toUpperCase()}${kind.slice(1)} ${numberOf({ name })}`
}

export function numberOf({ name }: Pick<PartView, 'name'>): string {
  return name.slice(name.lastIndexOf('-') + 1)
}
