import type { Observation } from '@sluice/world'

/**
 * An observation as it is kept. It has no bodies, and a message that is sent knows when it will be heard, once that has
 * happened.
 */
export type Seen = Observation & {
  /** Of a message that is sent. Undefined while it is on its way, and for good if it never arrives. */
  arrivesAtMs?: number
}

/**
 * A view is a fold over what was observed, in its order. It has no clock and touches no page, so that tests run it
 * anywhere and any instant can be shown.
 */
export interface Fold<View> {
  see(seen: Seen): void
  /** The view at this instant, which is not before what was seen. */
  view(atMs: number): View
  /** A fold that goes on from here without changing this one. */
  copy(): Fold<View>
}
