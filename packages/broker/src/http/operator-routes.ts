import type { Limits, TaskStateName } from '@sluice/protocol'
import type { Serve } from './access.ts'
import { HttpRefusal } from './error-response.ts'
import { outcomeStream } from './outcome-stream.ts'
import { deadTarget, jsonOf, taskId, text, wholeNumber } from './request-fields.ts'
import { fieldsOf } from './submission.ts'
import { pageJson } from './task-view.ts'

const STATES: readonly TaskStateName[] = ['delayed', 'ready', 'leased', 'succeeded', 'dead', 'cancelled']
const PAGE_MAX = 1000
const PAGE_DEFAULT = 100

/** What someone who looks after a broker asks: lists of tasks, purges, outcomes as they come. */
export function addOperatorRoutes(on: Serve, limits: Limits): void {
  on('GET /v1/tasks', ['queue', 'state', 'limit', 'after'], (c, { api }) => {
    const { queue, state, after } = c.req.query()
    const page = api.tasks({
      limit: wholeNumber(c, 'limit', 1, PAGE_MAX, PAGE_DEFAULT),
      ...(queue === undefined ? {} : { queue }),
      ...(state === undefined ? {} : { state: stateName(state) }),
      ...(after === undefined ? {} : { after: taskId(after, 'after') }),
    })
    const body = pageJson(page.tasks, page.next, limits.frameBytesMax)
    return new Response(body, { headers: { 'content-type': 'application/json' } })
  })

  on('POST /v1/queues/purge', [], async (c, { api }) => {
    const { queue } = fieldsOf(await jsonOf(c, limits), ['queue'], '')
    return c.json(await api.purge(text(queue, 'queue')))
  })

  on('POST /v1/dead/purge', [], async (c, { api }) => c.json(await api.purgeDead(await deadTarget(c, limits))))

  on('GET /v1/outcomes', ['queue'], (c, { api }) => outcomeStream(api, c.req.query('queue'), c.req.raw.signal))
}

function stateName(stated: string): TaskStateName {
  const state = STATES.find((name) => name === stated)
  if (state !== undefined) return state
  throw new HttpRefusal({ code: 'bad_message', field: 'state', message: `One of ${STATES.join(', ')} is needed here.` })
}
