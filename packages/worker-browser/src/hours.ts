/**
 * From and to, in hours of the local day, 0 – 24; 8.5 is half past eight. If `from` is later than `to`, the time between
 * them spans midnight. If both are equal, every hour is meant.
 */
export type Hours = readonly [from: number, to: number]

const HOUR_MS = 3_600_000
/** The clock of the device may be set or change to another time zone, so the next look is never later than this. */
const LOOK_MS_MAX = HOUR_MS

/** @throws RangeError if a value is outside 0 – 24 */
export function checkHours(hours: Hours): void {
  const isPair = Array.isArray(hours) && hours.length === 2
  if (isPair && hours.every((hour) => typeof hour === 'number' && hour >= 0 && hour <= 24)) return
  throw new RangeError(`hours has to be [from, to] with two numbers from 0 to 24, not ${JSON.stringify(hours)}`)
}

/** Whether this local time is inside, and when to look again, in ms. */
export function hoursAt([from, to]: Hours, time: Date): { isInside: boolean; lookAfterMs: number } {
  const hour = time.getHours() + time.getMinutes() / 60 + time.getSeconds() / 3600 + time.getMilliseconds() / HOUR_MS
  if (from === to) return { isInside: true, lookAfterMs: LOOK_MS_MAX }
  const isInside = from < to ? hour >= from && hour < to : hour >= from || hour < to
  const hoursLeft = ((isInside ? to : from) - hour + 24) % 24
  // A millisecond more: the clock that decides may be coarser than the timer.
  return { isInside, lookAfterMs: Math.min(LOOK_MS_MAX, Math.ceil(hoursLeft * HOUR_MS) + 1) }
}
