import type { Deliver } from '@sluice/protocol'

/** The leases of one deliver message; without its bodies, so that a long handler does not keep the frame alive. */
export class Delivery<Held> {
  readonly message: Omit<Deliver, 'bodies'>
  /** By their place in the message; a place is empty once its lease is not held any more. */
  readonly slots: (Held | undefined)[] = []
  /** Places that are not empty. */
  held = 0

  constructor(message: Omit<Deliver, 'bodies'>) {
    this.message = message
  }
}
