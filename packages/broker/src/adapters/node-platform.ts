import { randomBytes } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import type { HostPlatform } from '../core/platform.ts'

/** The longest delay that `setTimeout` takes; a longer one fires early, which the host notices and waits on. */
const TIMER_MS_MAX = 2 ** 31 - 1
const SECRET_BYTES = 18

/** Node's clock, timers and randomness. The clock starts at the wall clock's time and never goes back. */
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
