import type { ClientMessage, CompletedLease, FailedLease, Limits } from '@sluice/protocol'

export type Settlement =
  | { kind: 'complete'; lease: number; item: CompletedLease }
  | { kind: 'fail'; lease: number; item: FailedLease }
  | { kind: 'release'; lease: number }

const MESSAGE_ITEMS_MAX = 500

/**
 * The answers that the broker has not confirmed. Each is kept until it is `settled` or its lease is known to be lost,
 * and is sent again after a reconnect: until then the lease counts as held.
 */
export class Settlements {
  readonly #unsettled = new Map<number, Settlement>()
  #unsent: Settlement[] = []
  readonly #sent = new Map<number, Settlement[]>()

  get size(): number {
    return this.#unsettled.size
  }

  /** How many wait to be sent. */
  get waiting(): number {
    return this.#unsent.length
  }

  leases(): Iterable<number> {
    return this.#unsettled.keys()
  }

  add(settlement: Settlement): void {
    this.#unsettled.set(settlement.lease, settlement)
    this.#unsent.push(settlement)
  }

  /** The lease is lost: nobody waits for its answer. */
  drop(lease: number): void {
    this.#unsettled.delete(lease)
  }

  /** After a reconnect: what is still held has to be said again. */
  resend(): void {
    this.#sent.clear()
    this.#unsent = [...this.#unsettled.values()]
  }

  collect(out: ClientMessage[], limits: Limits, nextRef: () => number): void {
    const itemsMax = Math.min(MESSAGE_ITEMS_MAX, limits.batchItemsMax)
    const bytesMax = limits.frameBytesMax >> 1
    const open: Partial<Record<Settlement['kind'], { batch: Settlement[]; bytes: number }>> = {}
    const close = (kind: Settlement['kind'], batch: Settlement[]): void => {
      const ref = nextRef()
      this.#sent.set(ref, batch)
      out.push(settlementMessage(kind, ref, batch))
    }
    for (const settlement of this.#unsent) {
      if (this.#unsettled.get(settlement.lease) !== settlement) continue
      const bytes = sizeOf(settlement)
      let group = open[settlement.kind]
      if (group !== undefined && (group.batch.length === itemsMax || group.bytes + bytes > bytesMax)) {
        close(settlement.kind, group.batch)
        group = undefined
      }
      if (group === undefined) {
        group = { batch: [], bytes: 0 }
        open[settlement.kind] = group
      }
      group.batch.push(settlement)
      group.bytes += bytes
    }
    this.#unsent = []
    for (const [kind, group] of Object.entries(open)) close(kind as Settlement['kind'], group.batch)
  }

  /**
   * Takes the broker's answer.
   * @returns the settled batch; undefined where the ref is not one of these
   */
  answered(ref: number): Settlement[] | undefined {
    const batch = this.#sent.get(ref)
    this.#sent.delete(ref)
    if (batch !== undefined) for (const settlement of batch) this.#unsettled.delete(settlement.lease)
    return batch
  }

  /** Keeps a refused one that may be said again later. */
  hold(settlement: Settlement): void {
    this.#unsettled.set(settlement.lease, settlement)
  }

  /** Says a held one again with the next flush, unless its lease was lost meanwhile. */
  again(settlement: Settlement): void {
    if (this.#unsettled.get(settlement.lease) === settlement) this.#unsent.push(settlement)
  }
}

function settlementMessage(kind: Settlement['kind'], ref: number, batch: Settlement[]): ClientMessage {
  switch (kind) {
    case 'complete':
      return { type: 'complete', ref, results: batch.map((s) => (s as Settlement & { kind: 'complete' }).item) }
    case 'fail':
      return { type: 'fail', ref, failures: batch.map((s) => (s as Settlement & { kind: 'fail' }).item) }
    case 'release':
      return { type: 'release', ref, leases: batch.map((s) => s.lease) }
  }
}

/** Bytes in a frame, generously: three for a UTF-16 unit, doubled for what JSON escapes. */
function sizeOf(settlement: Settlement): number {
  if (settlement.kind === 'complete') return settlement.item.bytes.length + 64
  if (settlement.kind === 'release') return 24
  const { message, name = '', stack = '' } = settlement.item.error
  return (message.length + name.length + stack.length) * 6 + 128
}
