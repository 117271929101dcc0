import { sleep } from '../wait.ts'
import type { Tally } from './attack.ts'
import type { Wire } from './wire.ts'

const SAYS_EVERY_MS = 250
/** What is not cut after this many times the time it may take counts as never cut. */
const PATIENCE = 4
const PATIENCE_MS_MIN = 30_000

/**
 * Holds connections as long as the broker lets it, and says a little over each again and again. The broker has
 * `atMostMs` to end each.
 */
export async function hold(
  tally: Tally,
  wires: readonly Wire[],
  { what, atMostMs, say }: { what: string; atMostMs: number; say?: (wire: Wire) => void },
): Promise<void> {
  const talk = (): void => {
    for (const wire of wires) if (!wire.isOver) say?.(wire)
  }
  const talking = setInterval(talk, SAYS_EVERY_MS)
  const giveUp = sleep(Math.max(PATIENCE_MS_MIN, atMostMs * PATIENCE)).then(() => undefined)
  for (const wire of wires) {
    tally.attempts += 1
    const lastedMs = await Promise.race([wire.gone, giveUp])
    if (lastedMs === undefined) tally.breach(`${what}: the broker never ended a connection`)
    else {
      tally.meet(wire.how)
      tally.take(what, lastedMs, atMostMs)
    }
    wire.end()
  }
  clearInterval(talking)
}
