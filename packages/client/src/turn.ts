/**
 * The number of consecutive promise turns without news before a flush. A handler with two awaits takes about six turns.
 * Ten turns cost less than a microsecond.
 */
const QUIET_TURNS = 10
/** The maximum number of turns that may delay a flush, however busy they are. */
const TURNS_MAX = 2000

/**
 * Collects what the running turn of the event loop produces and flushes once.
 *
 * The flush waits until a few turns of the promise queue have brought nothing new: answers resume callers, callers
 * submit more, handlers settle, and the next handlers start. All of that becomes one frame. No timer is involved, so a
 * single message leaves at once. `amount` is called after every turn and with every request, and `enough` ends the wait
 * early.
 */
export function turnFlusher(amount: () => number, enough: number, flush: () => void): () => void {
  let scheduled = false
  let seen = 0
  let quiet = 0
  let turns = 0

  const turn = (): void => {
    const now = amount()
    turns += 1
    if (now === seen) quiet += 1
    else quiet = 0
    seen = now
    if (quiet >= QUIET_TURNS || now >= enough || turns >= TURNS_MAX) {
      scheduled = false
      flush()
    } else {
      void settled.then(turn)
    }
  }

  return () => {
    if (scheduled) {
      // The frame is full: the other side can begin with it while this turn continues.
      if (amount() >= enough) flush()
      return
    }
    scheduled = true
    seen = amount()
    quiet = 0
    turns = 0
    void settled.then(turn)
  }
}

const settled = Promise.resolve()
