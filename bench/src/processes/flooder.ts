import { randomUUIDv7 } from 'node:crypto'
import { Bodies } from '@sluice/protocol'
import { serve } from '../child.ts'
import { RawSession } from './raw-session.ts'

export interface FlooderSettings {
  url: string
  queue: string
  token: string
  sessions: number
}

const batch = 100
/** Messages of a session that are under way. It sends the next one as soon as one is answered. */
const ahead = 20

// Submits as fast as the broker reads, whatever it answers, and never takes back anything.
serve(async ({ url, queue, token, sessions }: FlooderSettings) => {
  let accepted = 0
  let refused = 0
  let isFlooding = false
  const all = await Promise.all(Array.from({ length: sessions }, () => RawSession.open(url, ['producer'], token)))
  let ref = 1
  const submit = (session: RawSession) => {
    const ids = Array.from({ length: batch }, () => randomUUIDv7())
    const bodies = Bodies.ofTexts(ids.map(() => '1'))
    session.send([{ type: 'submit', ref: ref++, queue, watch: false, ids, bodies }])
  }
  for (const session of all)
    session.onMessages = (messages) => {
      for (const message of messages) {
        if (message.type !== 'submitted') continue
        refused += message.refused.length
        accepted += batch - message.refused.length
        if (isFlooding) submit(session)
      }
    }
  return {
    start(): void {
      isFlooding = true
      for (const session of all) for (let n = 0; n < ahead; n += 1) submit(session)
    },
    /** How many tasks were accepted and refused since the last time. */
    stop(): { accepted: number; refused: number } {
      isFlooding = false
      const sums = { accepted, refused }
      accepted = 0
      refused = 0
      return sums
    },
  }
})
