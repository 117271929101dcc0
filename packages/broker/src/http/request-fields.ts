import { type Cancel, isTaskId, type Limits } from '@sluice/protocol'
import type { Context } from 'hono'
import { HttpRefusal } from './error-response.ts'
import type { RequestBodies } from './request-body.ts'
import { requestJson } from './request-json.ts'
import { decodeAsMessages, fieldsOf } from './submission.ts'

/** Fields that routes read from a request. Each refusal names the field. */

/** Items of a page: the maximum and the default. */
export const PAGE_MAX = 1000
export const PAGE_DEFAULT = 100

/** The bounds on request bodies. */
export interface Receiving {
  readonly limits: Limits
  readonly bodies: RequestBodies
}

export function taskId(id: string, field = 'id'): string {
  if (isTaskId(id)) return id
  throw new HttpRefusal({ code: 'bad_message', field, message: 'A UUIDv7 in lower case is needed here.' })
}

/** A whole number in the query. The bounds are inclusive. */
export function wholeNumber(c: Context, field: string, min: number, max: number, absent: number): number {
  const stated = c.req.query(field)
  if (stated === undefined) return absent
  const value = /^\d+$/.test(stated) ? Number(stated) : Number.NaN
  if (value >= min && value <= max) return value
  const message = `A whole number from ${min} to ${max} is needed here.`
  throw new HttpRefusal(
    value > max ? { code: 'too_large', message, field, limit: max } : { code: 'bad_message', message, field },
    400,
  )
}

/** Reads the body after authentication, so that nothing from strangers is kept. */
export async function jsonOf(c: Context, { limits, bodies }: Receiving): Promise<unknown> {
  return requestJson(await bodies.receive(c), limits.depthMax)
}

/** The target of a request: `{queue}` for all dead letters of a queue, or `{ids}` for some. */
export async function deadTarget(c: Context, receiving: Receiving): Promise<{ ids: string[] } | { queue: string }> {
  const { queue, ids } = fieldsOf(await jsonOf(c, receiving), ['queue', 'ids'], '')
  if ((queue === undefined) === (ids === undefined)) {
    const message = 'Send {"queue": NAME} for all dead letters of a queue, or {"ids": […]} for some.'
    throw new HttpRefusal({ code: 'bad_message', field: 'queue', message })
  }
  return ids === undefined ? { queue: text(queue, 'queue') } : { ids: taskIds(ids, receiving.limits) }
}

export function text(value: unknown, field: string): string {
  if (typeof value === 'string') return value
  throw new HttpRefusal({ code: 'bad_message', field, message: 'A string is needed here.' })
}

/** Ids, checked by the wire decoder. */
function taskIds(ids: unknown, limits: Limits): string[] {
  const { messages } = decodeAsMessages([{ type: 'cancel', ref: 0, ids }], limits, (field) =>
    field.replace(/^messages\[0\]\.?/, ''),
  )
  return (messages[0] as Cancel).ids
}
