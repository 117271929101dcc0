/** One lock by name among all tabs and service workers that share a store, such as a Web Lock. */
export interface Locks {
  /**
   * Waits for the lock, without a time-out. It is held until `release` is called or the tab is gone.
   * @param onStolen called once if another tab takes the lock by force while it is held
   * @param options `signal` ends the wait; with `steal` the lock is taken from its holder at once
   * @throws the signal's reason
   */
  request(
    name: string,
    onStolen: () => void,
    options: { signal: AbortSignal; steal?: boolean },
  ): Promise<{ release: () => void }>
}

/** Sends messages to the other tabs of the same name, such as a BroadcastChannel. Own messages are not heard. */
export interface Channel {
  /** Sends a copy of plain data. Nothing tells whether anybody hears it. */
  post(message: unknown): void
  /** Set by the owner of the channel. */
  onmessage: (message: unknown) => void
  close(): void
}

/** What connects the tabs of one outbox. A tab without it works for itself. */
export interface TabGroup {
  locks: Locks
  /** Joins the channel of that name. */
  channel(name: string): Channel
}
