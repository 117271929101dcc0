import type { TaskStateName } from '@sluice/protocol'
import type { Serve } from './access.ts'
import { HttpRefusal } from './error-response.ts'
import { outcomeStream } from './outcome-stream.ts'
import {
  deadTarget,
  jsonOf,
  PAGE_DEFAULT,
  PAGE_MAX,
  type Receiving,
  taskId,
  text,
  wholeNumber,
} from './request-fields.ts'
import { fieldsOf } from './submission.ts'
import { pageJson } from './task-view.ts'

const STATES: readonly TaskStateName[] = ['delayed', 'ready', 'leased', 'succeeded', 'dead', 'cancelled']

/** Routes for operators: lists of queues, workers and tasks, purges, and the stream of outcomes. */
export function addOperatorRoutes(on: Serve, receiving: Receiving): void {
  on('GET /v1/queues', [], (c, { api }) => c.json({ queues: api.queues() }))

  on('DELETE /v1/queues/:queue', [], async (c, { api }) => c.json(await api.dropQueue(c.req.param('queue') as string)))

  on('GET /v1/workers', ['limit', 'after'], (c, { api }) => {
    const { after } = c.req.query()
    const limit = wholeNumber(c, 'limit', 1, PAGE_MAX, PAGE_DEFAULT)
    return c.json(api.workers({ limit, ...(after === undefined ? {} : { after: workerId(after) }) }))
  })

  on('GET /v1/tasks', ['queue', 'state', 'limit', 'after'], (c, { api }) => {
    const { queue, state, after } = c.req.query()
    const page = api.tasks({
      limit: wholeNumber(c, 'limit', 1, PAGE_MAX, PAGE_DEFAULT),
      ...(queue === undefined ? {} : { queue }),
      ...(state === undefined ? {} : { state: stateName(state) }),
      ...(after === undefined ? {} : { after: taskId(after, 'after') }),
    })
    const body = pageJson(page.tasks, page.next, receiving.limits.frameBytesMax)
    return new Response(body, { headers: { 'content-type': 'application/json' } })
  })

  on('POST /v1/queues/purge', [], async (c, { api }) => {
    const { queue } = fieldsOf(await jsonOf(c, receiving), ['queue'], '')
    return c.json(await api.purge(text(queue, 'queue')))
  })

  on('POST /v1/dead/purge', [], async (c, { api }) => c.json(await api.purgeDead(await deadTarget(c, receiving))))

  on('GET /v1/outcomes', ['queue'], (c, { api }) => outcomeStream(api, c.req.query('queue'), c.req.raw.signal))
}

function workerId(stated: string): string {
  if (/^worker-\d{1,15}$/.test(stated)) return stated
  const message = 'The id of a worker is needed here, as next of the page before has it.'
  throw new HttpRefusal({ code: 'bad_message', field: 'after', message })
}

function stateName(stated: string): TaskStateName {
  const state = STATES.find((name) => name === stated)
  if (state !== undefined) return state
  throw new HttpRefusal({ code: 'bad_message', field: 'state', message: `One of ${STATES.join(', ')} is needed here.` })
}
