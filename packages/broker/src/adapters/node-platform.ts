import { randomBytes } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import type { HostPlatform } from '../core/platform.ts'

/** The longest delay of `setTimeout`. A longer timer fires early. The host notices that and waits on. */
const TIMER_MS_MAX = 2 ** 31 - 1
const SECRET_BYTES = 18

/** Node's clock, timers and randomness. The clock starts at wall-clock time and never goes back. */
export function nodePlatform(): HostPlatform {
  const startedAtMs = Date.now() - performance.now()
  return {
    nowMs: () => Math.floor(startedAtMs + performance.now()),
    setTimer(fn, ms) {
      const timer = setTimeout(fn, Math.min(ms, TIMER_MS_MAX))
      return () => clearTimeout(timer)
    },
    afterTurn: (fn) => {
      setImmediate(fn)
    },
    random: Math.random,
    secretId: () => randomBytes(SECRET_BYTES).toString('base64url'),
  }
}
