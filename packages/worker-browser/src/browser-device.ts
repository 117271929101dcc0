import { defaultPlatform } from '@sluice/client'
import type { Device, PressureState } from './device.ts'

interface BatteryManager extends EventTarget {
  readonly charging: boolean
}

interface PressureObserver {
  observe(source: 'cpu', options?: { sampleInterval: number }): Promise<void>
  disconnect(): void
}

/** What browsers have and the compiler's library does not know. */
interface Extras {
  PressureObserver?: new (callback: (records: { state: PressureState }[]) => void) => PressureObserver
  navigator?: {
    hardwareConcurrency?: number
    locks?: LockManager
    getBattery?: () => Promise<BatteryManager>
  }
}

const AWAKE_LOCK = 'sluice.tab-worker.awake'
const PRESSURE_INTERVAL_MS = 2000

const extras = globalThis as unknown as Extras

/** The browser as it is, or as little as a server has. */
export const browserDevice: Device = {
  get cores() {
    return extras.navigator?.hardwareConcurrency ?? 1
  },
  now: defaultPlatform.now,
  setTimer: defaultPlatform.setTimer,
  time: () => new Date(),
  uniqueName: () => Array.from(defaultPlatform.randomBytes(16), (byte) => byte.toString(16).padStart(2, '0')).join(''),
  watchLife: ({ onFreeze, onResume, onHide, onShow }) => {
    const shown = ({ persisted }: PageTransitionEvent) => {
      if (persisted) onShow()
    }
    const forgets = [
      listen(globalThis.document, 'freeze', onFreeze),
      listen(globalThis.document, 'resume', onResume),
      listen(globalThis.window, 'pagehide', onHide),
      listen(globalThis.window, 'pageshow', shown as (event: Event) => void),
    ]
    return () => {
      for (const forget of forgets) forget()
    }
  },
  watchBattery: (onChange) => {
    let isWatched = true
    let forget = () => {}
    extras.navigator?.getBattery?.().then(
      (battery) => {
        if (!isWatched) return
        const tell = () => onChange(battery.charging)
        forget = listen(battery, 'chargingchange', tell)
        tell()
      },
      // The page may not ask, so it cannot know.
      () => {},
    )
    return () => {
      isWatched = false
      forget()
    }
  },
  watchPressure: (onChange) => {
    const { PressureObserver } = extras
    if (PressureObserver === undefined) return () => {}
    const observer = new PressureObserver((records) => {
      const last = records.at(-1)
      if (last !== undefined) onChange(last.state)
    })
    observer.observe('cpu', { sampleInterval: PRESSURE_INTERVAL_MS }).catch(() => {
      // The page may not ask, so it cannot know.
    })
    return () => observer.disconnect()
  },
  keepAwake: () => {
    let release = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    extras.navigator?.locks?.request(AWAKE_LOCK, { mode: 'shared' }, () => held).catch(() => {})
    return release
  },
  read: (key) => {
    try {
      return globalThis.localStorage.getItem(key)
    } catch {
      return null
    }
  },
  write: (key, value) => {
    try {
      if (value === null) globalThis.localStorage.removeItem(key)
      else globalThis.localStorage.setItem(key, value)
    } catch {
      // A private window, or storage that is blocked: the answer lasts as long as the page.
    }
  },
  watchStore: (key, onChange) =>
    listen(globalThis.window, 'storage', (event) => {
      const { key: changed, newValue } = event as StorageEvent
      // Without a key everything was removed.
      if (changed === key || changed === null) onChange(newValue)
    }),
  warn: (message, fields) => console.warn(`sluice: ${message}`, fields),
}

function listen(target: EventTarget | undefined, type: string, listener: (event: Event) => void): () => void {
  target?.addEventListener(type, listener)
  return () => target?.removeEventListener(type, listener)
}
