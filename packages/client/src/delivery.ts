import type { Deliver } from '@sluice/protocol'

/**
 * The leases of one deliver message. It does not hold the bodies, so that a long handler does not keep the frame alive.
 */
export class Delivery<Held> {
  readonly message: Omit<Deliver, 'bodies'>
  /** By place in the message. A place is empty once its lease is not held any more. */
  readonly slots: (Held | undefined)[] = []
  /** The number of places that are not empty. */
  held = 0

  constructor(message: Omit<Deliver, 'bodies'>) {
    this.message = message
  }
}
