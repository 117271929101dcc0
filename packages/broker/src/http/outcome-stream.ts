import type { TaskStatus } from '@sluice/protocol'
import type { BrokerApi } from '../core/broker-api.ts'

/** The maximum bytes that wait for a reader. Outcomes past that are left out and counted. */
const WAITING_BYTES_MAX = 1024 ** 2
/** An empty line at this interval shows that the broker is alive, also to proxies. */
const SIGN_EVERY_MS = 15_000

const utf8 = new TextEncoder()

/**
 * Outcomes as they become durable, one JSON object per line, of one queue or of all, until the reader or the broker
 * leaves.
 * @throws an Error with code busy if too many readers wait already
 */
export function outcomeStream(api: BrokerApi, queue: string | undefined, signal: AbortSignal): Response {
  let leave = () => {}
  const stream = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        let skipped = 0
        const write = (line: string) => controller.enqueue(utf8.encode(`${line}\n`))
        const told = (outcome: TaskStatus) => {
          if (queue !== undefined && outcome.queue !== queue) return
          if ((controller.desiredSize ?? 0) <= 0) {
            skipped += 1
            return
          }
          if (skipped > 0) write(JSON.stringify({ skipped }))
          skipped = 0
          write(JSON.stringify(outcome))
        }
        const forget = api.follow({ told, ended: () => end() })
        const signs = setInterval(() => {
          if ((controller.desiredSize ?? 0) > 0) write('')
        }, SIGN_EVERY_MS)
        leave = () => {
          leave = () => {}
          forget()
          clearInterval(signs)
        }
        const end = () => {
          leave()
          controller.close()
        }
        signal.addEventListener('abort', () => leave(), { once: true })
        // The headers are sent with the first bytes. From here on nothing is missed.
        write('')
      },
      cancel: () => leave(),
    },
    new ByteLengthQueuingStrategy({ highWaterMark: WAITING_BYTES_MAX }),
  )
  return new Response(stream, { headers: { 'content-type': 'application/x-ndjson' } })
}
