import type { ItemView } from '@sluice/client/outbox'
import type { OutboxSnapshot } from '@sluice/client-browser'
import type { ThumbnailProgress } from '../thumbnail.ts'

/** What the page keeps with each photo on this device. */
export interface PhotoLabel {
  name: string
  type: string
  bytes: number
}

export function labelOf({ label, bodyBytes }: ItemView): PhotoLabel {
  return (label as PhotoLabel | undefined) ?? { name: 'photo', type: '', bytes: bodyBytes }
}

/** How far the work is, 0 – 1, or undefined while nothing is reported. */
export function progressOf({ progress }: ItemView): ThumbnailProgress | undefined {
  return progress as ThumbnailProgress | undefined
}

/** The state in a few words. */
export function stateWords(item: ItemView): string {
  switch (item.state) {
    case 'unsaved':
      return 'Not saved'
    case 'saved':
      return 'Saved on device'
    case 'sending':
      return 'Sending'
    case 'needsAuth':
      return 'Needs sign-in'
    case 'accepted':
      return 'Accepted, waiting'
    case 'running': {
      const { share = 0, by } = progressOf(item) ?? {}
      return `${by === 'tab' ? 'In a lent tab' : 'Running'}, ${Math.round(share * 100)} %`
    }
    case 'cancelling':
      return 'Will be cancelled'
    case 'done':
      return 'Done'
    case 'parked':
      return 'Refused'
    case 'failed':
      return 'Failed'
    case 'cancelled':
      return 'Cancelled'
    case 'discarded':
      return 'Removed'
  }
}

/** A sentence where the state alone does not say what to do. */
export function stateSentence(item: ItemView): string | undefined {
  switch (item.state) {
    case 'unsaved':
      return 'Only this tab holds it. Keep the tab open until it is sent.'
    case 'needsAuth':
      return 'It is safe on this device. Sign in again to send it.'
    case 'cancelling':
      return 'The broker is told as soon as there is a connection.'
    case 'parked':
    case 'failed':
      return errorSentence(item)
    default:
      return undefined
  }
}

function errorSentence({ state, error, bodyBytes }: ItemView): string {
  if (error === undefined) return 'The reason is not known.'
  const { code, limit, message, failure, attempts = 0 } = error
  if (code === 'too_large' && limit !== undefined)
    return `It has ${sizeWords(bodyBytes)}, and the broker takes at most ${sizeWords(limit)}.`
  if (code === 'not_permitted') return 'You may not send photos to this queue.'
  if (code === 'newer_item') return 'A newer version of this page has saved it. Reload the page.'
  if (state === 'failed') {
    const said = failure?.message ?? `The worker gave up: ${code}.`
    return attempts > 1 ? `${said} It was tried ${attempts} times.` : said
  }
  return message
}

export function sizeWords(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`
  const [value, unit] = bytes < 1e6 ? [bytes / 1e3, 'KB'] : [bytes / 1e6, 'MB']
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`
}

/** What the counts say to a person. */
export function summaryOf({ counts }: Pick<OutboxSnapshot, 'counts'>) {
  const { unsaved, saved, sending, needsAuth, accepted, running, cancelling, parked, failed, done } = counts
  return {
    here: unsaved + saved + sending + needsAuth,
    sent: accepted + running + cancelling,
    done,
    wrong: parked + failed,
  }
}
