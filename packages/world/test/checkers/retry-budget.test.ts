import { expect, test } from 'vitest'
import { RetryBudget } from '../../src/checkers/retry-budget.ts'
import type { Scenario } from '../../src/index.ts'
import { connectionOf, Stream, submit, welcomeOf } from './stream.ts'

const node = 'producer-1'
const connection = connectionOf(node)
const producers: Scenario['producers'] = [{ count: 1, arrivals: { kind: 'steady', rate: 1 }, tasks: [] }]
const names = (count: number) => Array.from({ length: count }, (_, place) => `t${place + 1}`)

class Refused extends Stream {
  #ref = 0

  constructor(over: Partial<Scenario> = {}, submitCredit = 1000) {
    super((sources) => new RetryBudget(sources), { producers, ...over })
    this.see({ type: 'nodeStarted', node, incarnation: 1 }).welcome(node, { submitCredit })
  }

  /** Submits tasks, of which so many are refused. */
  submit(ids: string[], refused: number, retryAfterMs = 1): this {
    this.#ref += 1
    const error = { code: 'busy' as const, message: '', retryAfterMs }
    const indexes = ids.slice(0, refused).map((_, index) => ({ index, error }))
    this.see({ type: 'sentToBroker', node, connection, message: submit(this.#ref, ids) })
    return this.told(node, { type: 'submitted', ref: this.#ref, refused: indexes })
  }
}

const many = names(600)
const complaint = ['producer-1 tries 600 refused tasks again, more than its retries allow']

test('[CLIENT-11] a producer makes a thousand retries at once, and no more', () => {
  expect(new Refused().submit(many, 600).submit(many, 600).said).toEqual([])
  expect(new Refused().submit(many, 600).submit(many, 600).submit(many, 600).said).toEqual(complaint)
})

test('[CLIENT-11] fifty a second, and one for five that are accepted', () => {
  const spent = () => new Refused().submit(many, 600).submit(many, 600)
  expect(spent().after(4000).submit(many, 600).said).toEqual([])
  expect(spent().after(3900).submit(many, 600).said).toEqual(complaint)
  const others = Array.from({ length: 1000 }, (_, place) => `u${place + 1}`)
  expect(spent().submit(others, 0).submit(many, 600).said).toEqual([])
  expect(spent().submit(others.slice(0, 900), 0).submit(many, 600).said).toEqual(complaint)
})

test('[CLIENT-11] what is new, or was on its way when a connection was lost, is no retry', () => {
  const spent = () => new Refused().submit(many, 600).submit(many, 600)
  expect(
    spent().submit(
      Array.from({ length: 600 }, (_, place) => `u${place}`),
      0,
    ).said,
  ).toEqual([])
  const lost = new Refused().see({ type: 'sentToBroker', node, connection, message: submit(9, many) })
  expect(
    lost
      .told(node, welcomeOf(node, { submitCredit: 1000 }))
      .submit(many, 0)
      .submit(many, 0).said,
  ).toEqual([])
})

test('[CLIENT-11] what was granted while the connection was away leaves with the next one', () => {
  const back = new Refused()
    .submit(many, 600)
    .submit(many, 600)
    .told(node, welcomeOf(node, { submitCredit: 1000 }))
  expect(back.said).toEqual([])
  const again = (back as Refused).submit(many, 600).submit(many, 600)
  expect(again.said).toEqual([])
  expect(again.submit(many, 600).said).toEqual(complaint)
})

test('[CLIENT-11] each life has a budget of its own, and who keeps no credit or has little is not judged', () => {
  const anew = new Refused().submit(many, 600).submit(many, 600).see({ type: 'nodeStopped', node, how: 'crashed' })
  expect(anew.see({ type: 'nodeStarted', node, incarnation: 2 }).submit(many, 600).submit(many, 600).said).toEqual([])
  const liar = new Refused({ producers: [{ ...producers[0]!, ignoresCredit: true }] })
  const poor = new Refused({}, 999)
  expect(poor.submit(many, 600).submit(many, 600).submit(many, 600).said).toEqual([])
  expect(liar.submit(many, 600).submit(many, 600).submit(many, 600).said).toEqual([])
})

test('[CLIENT-11] not all refusals are tried again at the first moment allowed', () => {
  const after = (waits: number[]) => {
    const stream = new Refused()
    for (const ms of waits) stream.submit(['t1', 't2'], 2, 100).after(ms)
    return stream.submit(['t1'], 0).finish()
  }
  expect(after([100, 101, 100, 102, 100])).toEqual(['all of 5 refusals were tried again at the first moment allowed'])
  expect(after([100, 101, 100, 102, 300])).toEqual([])
  expect(after([100, 101, 100, 102])).toEqual([])
})
