import type { ItemError } from '@sluice/client/outbox'
import { retryOf, type WireError } from '@sluice/protocol'

/** What the broker says of one item. `later` items stay saved. */
export type Verdict = { kind: 'accepted' } | { kind: 'refused'; error: ItemError } | { kind: 'later' }

/**
 * What an answer means.
 * - `verdicts`: by the id of the item.
 * - `refused`: the request as a whole is refused for good, because of something in it.
 * - `needsToken`: the token is missing, expired or not accepted.
 * - `later`: the broker, or what is in front of it, cannot take it now.
 * - `misdirected`: this page may not use the API at the address, or there is none.
 */
export type Answer =
  | { kind: 'verdicts'; verdicts: ReadonlyMap<string, Verdict>; retryAfterMs?: number }
  | { kind: 'refused'; error: ItemError }
  | { kind: 'needsToken' }
  | { kind: 'later'; retryAfterMs?: number }
  | { kind: 'misdirected'; message: string }

/** Fields of a request that are not the app's. A refusal because of one says nothing of the items. */
const OWN_FIELDS = ['Origin', 'Host', 'Content-Type']

/** @throws what ends the reading of the answer */
export async function answerOf(response: Response): Promise<Answer> {
  const { status } = response
  if (status === 401) return { kind: 'needsToken' }
  const { error, tasks } = fieldsOf(await response.text())
  const retryAfterMs = error?.retryAfterMs ?? secondsOf(response.headers.get('retry-after'))
  const wait = retryAfterMs === undefined ? {} : { retryAfterMs }
  if (Array.isArray(tasks)) return { kind: 'verdicts', verdicts: verdictsOf(tasks), ...wait }
  if (status === 408 || status === 425 || status === 429 || status >= 500) return { kind: 'later', ...wait }
  if (error === undefined || OWN_FIELDS.includes(error.field ?? ''))
    return {
      kind: 'misdirected',
      message: error?.message ?? `the answer has the status ${status} and is not the broker's`,
    }
  return isForGood(error) ? { kind: 'refused', error: itemErrorOf(error) } : { kind: 'later', ...wait }
}

/** What is in front of a broker answers with other text. */
function fieldsOf(text: string): { error?: WireError; tasks?: unknown } {
  try {
    return (JSON.parse(text) as object | null) ?? {}
  } catch {
    return {}
  }
}

function verdictsOf(tasks: readonly unknown[]): Map<string, Verdict> {
  const verdicts = new Map<string, Verdict>()
  for (const task of tasks) {
    const { id, accepted, error } = task as { id: string; accepted: boolean; error?: WireError }
    if (accepted) verdicts.set(id, { kind: 'accepted' })
    else if (error !== undefined && isForGood(error)) verdicts.set(id, { kind: 'refused', error: itemErrorOf(error) })
    else verdicts.set(id, { kind: 'later' })
  }
  return verdicts
}

const isForGood = (error: WireError): boolean => retryOf(error.code) === 'no'

function itemErrorOf({ code, message, field, limit }: WireError): ItemError {
  return { code, message, ...(field === undefined ? {} : { field }), ...(limit === undefined ? {} : { limit }) }
}

/** A date instead of seconds is left out: no rule depends on two clocks. */
const secondsOf = (text: string | null): number | undefined =>
  text !== null && /^\d{1,6}$/.test(text) ? Number(text) * 1000 : undefined
