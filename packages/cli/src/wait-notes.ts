import type { BrokerHttp } from './broker-http.ts'
import { printable } from './cells.ts'
import { CommandError } from './exit-code.ts'

/** After this time without progress a person wants to know why. It is also the time between two checks. */
const PATIENCE_MS = 2000

/** What a command waits for. */
export interface Awaited {
  queue: string | undefined
  /** Tasks that the broker has not accepted yet. */
  unaccepted: number
  /** Tasks that have no outcome yet. */
  unfinished: number
}

/** The fields of GET /v1/queues that are used here. */
interface QueueLook {
  name: string
  ready: number
  delayed: number
  leased: number
  bytes: number
  tasksMax: number
  bytesMax: number
  workers: number
}

/** A queue counts as full from this share on, because its last bytes may have no room for the next body. */
const FULL_SHARE = 0.99

/** Why nothing progresses. Undefined if something does. */
export function waitNote(awaited: Awaited, queues: readonly QueueLook[]): string | undefined {
  const queue = queues.find(({ name }) => name === awaited.queue)
  if (queue === undefined) return undefined
  const { name, ready, delayed, leased, bytes, tasksMax, bytesMax, workers } = queue
  const tasks = ready + delayed + leased
  const isFull = awaited.unaccepted > 0 && (tasks >= tasksMax || bytes >= bytesMax * FULL_SHARE)
  const isIdle = (isFull || awaited.unfinished > 0) && ready > 0 && workers === 0
  const idle = `no worker takes ${name}. Start one: sluice worker ./tasks.ts`
  if (isFull) {
    const bound = tasks >= tasksMax ? `${tasks} tasks` : `${bytes} bytes`
    return `Queue ${name} is full (${bound}): waiting for room.${isIdle ? ` But ${idle}` : ''}`
  }
  return isIdle ? `Waiting, but ${idle}` : undefined
}

/**
 * Tells why a command has made no progress for two seconds: once for each reason, and again if the reason recurs. The
 * returned function stops this.
 */
export function sayWhatIsMissing(http: BrokerHttp, awaited: () => Awaited, say: (note: string) => void): () => void {
  let said: string | undefined
  let isOver = false
  const look = async () => {
    const now = awaited()
    if (now.unaccepted + now.unfinished === 0) return
    const { queues } = await http.get<{ queues: QueueLook[] }>('/v1/queues', 'queues')
    const note = waitNote(awaited(), queues)
    if (isOver) return
    if (note !== undefined && note !== said) say(printable(note))
    said = note
  }
  let timer: NodeJS.Timeout
  const later = () => {
    timer = setTimeout(
      () =>
        look()
          // A broker that is away does not tell about its queues.
          .catch((caught: unknown) => {
            if (!(caught instanceof CommandError)) throw caught
          })
          .finally(() => {
            if (!isOver) later()
          }),
      PATIENCE_MS,
    )
    timer.unref()
  }
  later()
  return () => {
    isOver = true
    clearTimeout(timer)
  }
}
