import type { Context } from '../context.ts'
import type { Process } from '../nodes/process.ts'
import type { BrowserGroup } from '../scenario.ts'
import { DeviceChannels } from './channels.ts'
import { DeviceLocks } from './locks.ts'
import { SimulatedStorage } from './storage.ts'

/** A tab, as far as its device concerns it. */
interface Tab {
  crash(restartAfterMs: number, options: { isSilent: boolean }): void
  comeBack(): void
}

/** A device with a browser: what the tabs of one origin share. */
export class Device {
  readonly name: string
  readonly storage: SimulatedStorage
  readonly locks = new DeviceLocks()
  readonly channels: DeviceChannels
  readonly tabs: Tab[] = []
  isOff = false

  constructor(context: Context, name: string, group: BrowserGroup) {
    this.name = name
    this.storage = new SimulatedStorage(context, name, group.storeMs)
    this.channels = new DeviceChannels(context, name)
  }

  /** All tabs end at once. Returns a function that switches it on again. */
  losePower(forMs: number): () => void {
    this.isOff = true
    // All tabs end at one time, so none of them takes over from another.
    this.locks.clear()
    for (const tab of this.tabs) tab.crash(forMs, { isSilent: true })
    this.storage.losePower()
    return () => {
      this.isOff = false
      for (const tab of this.tabs) tab.comeBack()
    }
  }

  ended(process: Process): void {
    this.locks.ended(process)
    this.channels.ended(process)
  }
}
