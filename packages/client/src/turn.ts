/**
 * How many turns of the promise queue in a row have to bring nothing new before a flush. A handler with two awaits in it
 * takes about six; ten turns cost less than a microsecond.
 */
const QUIET_TURNS = 10
/** A flush may not be put off for longer than this many turns, however busy they are. */
const TURNS_MAX = 2000

/**
 * Gathers what the running turn of the event loop produces and flushes once.
 *
 * The flush waits until a few turns of the promise queue have brought nothing new: answers wake callers, those submit
 * more, handlers settle, free slots start the next handlers, and all of that becomes one frame. No timer is involved,
 * so a lone message leaves at once. `amount` is asked after every turn and with every request, and `enough` ends the wait early.
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
      // A frame's worth: the other side may begin with it while this turn goes on.
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
