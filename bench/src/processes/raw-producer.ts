import { randomUUIDv7 } from 'node:crypto'
import { Bodies, type BrokerMessage } from '@sluice/protocol'
import { input } from '../body.ts'
import { serve } from '../child.ts'
import { rateOf, type Window } from '../rate.ts'
import { RawSession } from './raw-session.ts'

export interface RawProducerSettings {
  url: string
  queue: string
}

const batchMax = 250

// Submits as fast as the credit allows and counts; it keeps nothing per task.
serve(async ({ url, queue }: RawProducerSettings) => {
  const session = await RawSession.open(url, ['producer'])
  const credit = session.welcome.submitCredit
  let watch = true
  let wanted = 0
  let submitted = 0
  let accepted = 0
  let finished = 0
  let nextRef = 1
  /** Tasks of each message without an answer, by ref. */
  const unanswered = new Map<number, number>()
  let unansweredTasks = 0
  let onAccepted = () => {}

  const submit = () => {
    while (submitted < wanted && unansweredTasks < credit) {
      const count = Math.min(batchMax, wanted - submitted, credit - unansweredTasks)
      const ids = Array.from({ length: count }, () => randomUUIDv7())
      const bodies = Bodies.ofTexts(ids.map(() => JSON.stringify(input(submitted++))))
      const ref = nextRef++
      unanswered.set(ref, count)
      unansweredTasks += count
      session.send([{ type: 'submit', ref, queue, watch, ids, bodies }])
    }
  }
  session.onMessages = (messages: BrokerMessage[]) => {
    for (const message of messages) {
      if (message.type === 'submitted') {
        if (message.refused.length > 0) throw new Error(`refused: ${message.refused[0]!.error.message}`)
        const count = unanswered.get(message.ref)!
        unanswered.delete(message.ref)
        unansweredTasks -= count
        accepted += count
      } else if (message.type === 'succeeded') {
        finished += message.bodies.count
        // A closed loop: each finished task makes room for a new one, so that the backlog keeps its length.
        wanted += message.bodies.count
      }
    }
    submit()
    onAccepted()
  }

  return {
    /** Resolves when `count` more tasks are accepted. With `watch` this session hears of their outcomes. */
    async fill(more: { count: number; watch: boolean }): Promise<void> {
      watch = more.watch
      wanted += more.count
      const goal = wanted
      const filled = new Promise<void>((resolve) => {
        onAccepted = () => {
          if (accepted >= goal) resolve()
        }
      })
      submit()
      await filled
    },
    /** Tasks a second that come back finished. */
    throughput: (window: Window) => rateOf(() => finished, window),
  }
})
