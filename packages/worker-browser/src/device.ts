/** What the CPU has to do, in the words of `PressureObserver`. */
export type PressureState = 'nominal' | 'fair' | 'serious' | 'critical'

/** What the browser tells of the life of a page. */
export interface PageLife {
  /** The browser freezes the page: nothing runs from now on. */
  onFreeze(): void
  /** The page runs again. */
  onResume(): void
  /** The person leaves the page. */
  onHide(): void
  /** The page is back from the back/forward cache. */
  onShow(): void
}

/**
 * What a tab worker uses of its browser. Each function that watches returns one that ends the watch. A feature that the
 * browser does not have never calls back.
 */
export interface Device {
  readonly cores: number
  /** A monotonic time in ms, from any start. */
  now(): number
  setTimer(fn: () => void, ms: number): () => void
  /** The local time. */
  time(): Date
  /** A name that no other tab has. */
  uniqueName(): string
  watchLife(life: PageLife): () => void
  /** Called at first and at each change, with whether the device charges. */
  watchBattery(onChange: (isCharging: boolean) => void): () => void
  watchPressure(onChange: (state: PressureState) => void): () => void
  /** Keeps the browser from freezing the page. */
  keepAwake(): () => void
  /** A stored text. Null if there is none, or if nothing can be stored. */
  read(key: string): string | null
  /** Null removes it. Does nothing if nothing can be stored. */
  write(key: string, value: string | null): void
  /** Another tab of this origin has stored something under the key. */
  watchStore(key: string, onChange: (value: string | null) => void): () => void
  warn(message: string, fields: object): void
}
