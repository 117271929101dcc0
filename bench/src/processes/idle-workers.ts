import { serve } from '../child.ts'
import { RawSession } from './raw-session.ts'

export interface IdleWorkersSettings {
  url: string
  queue: string
  count: number
  token?: string
}

const openAtOnce = 32

// Workers that have given credit and get no task.
serve(async ({ url, queue, count, token }: IdleWorkersSettings) => {
  let missing = count
  const openSome = async () => {
    while (missing-- > 0) {
      const session = await RawSession.open(url, ['worker'], token)
      session.send([{ type: 'credit', credit: 8, queues: [queue] }])
      // A worker without leases still has to say something once in a heartbeat period.
      let ref = 1
      setInterval(() => session.send([{ type: 'ping', ref: ref++ }]), session.welcome.heartbeatMs)
    }
  }
  await Promise.all(Array.from({ length: openAtOnce }, openSome))
  return {}
})
