import type { Device } from './device.ts'
import { type Hours, hoursAt } from './hours.ts'
import type { PauseReason } from './tab-worker-snapshot.ts'

/** How long the pressure has to be low again before work goes on, in ms. Otherwise work and pressure would alternate. */
const CALM_MS = 30_000

export interface ConditionsOptions {
  hours: Hours | undefined
  onlyOnMains: boolean
  pauseOnPressure: boolean
}

/** Watches the conditions under which the owner of the device lets the tab work. */
export class Conditions {
  readonly #device: Device
  readonly #options: ConditionsOptions
  readonly #set: (reason: PauseReason, holds: boolean) => void
  readonly #forgets: (() => void)[] = []
  #cancelHours: () => void = () => {}
  #cancelCalm: (() => void) | undefined
  #isWatching = false

  /** @param set is told of each condition whether it is a reason not to work now */
  constructor(device: Device, options: ConditionsOptions, set: (reason: PauseReason, holds: boolean) => void) {
    this.#device = device
    this.#options = options
    this.#set = set
  }

  watch(): void {
    if (this.#isWatching) return
    this.#isWatching = true
    this.#lookAtHours()
    if (this.#options.onlyOnMains) {
      this.#forgets.push(this.#device.watchBattery((isCharging) => this.#set('battery', !isCharging)))
    }
    if (this.#options.pauseOnPressure) {
      this.#forgets.push(
        this.#device.watchPressure((state) => this.#pressure(state === 'serious' || state === 'critical')),
      )
    }
  }

  /** No condition is known any more. */
  stop(): void {
    if (!this.#isWatching) return
    this.#isWatching = false
    this.#cancelHours()
    this.#cancelCalm?.()
    this.#cancelCalm = undefined
    for (const forget of this.#forgets.splice(0)) forget()
    for (const reason of ['hours', 'battery', 'pressure'] as const) this.#set(reason, false)
  }

  #lookAtHours(): void {
    const { hours } = this.#options
    if (hours === undefined) return
    const { isInside, lookAfterMs } = hoursAt(hours, this.#device.time())
    this.#cancelHours = this.#device.setTimer(() => this.#lookAtHours(), lookAfterMs)
    this.#set('hours', !isInside)
  }

  #pressure(isHigh: boolean): void {
    if (isHigh) {
      this.#cancelCalm?.()
      this.#cancelCalm = undefined
      this.#isPressed = true
      this.#set('pressure', true)
    } else if (this.#isPressed) {
      this.#cancelCalm ??= this.#device.setTimer(() => {
        this.#cancelCalm = undefined
        this.#isPressed = false
        this.#set('pressure', false)
      }, CALM_MS)
    }
  }

  #isPressed = false
}
