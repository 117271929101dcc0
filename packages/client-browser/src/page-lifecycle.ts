import type { Platform } from '@sluice/client'
import type { OutboxClient } from '@sluice/client/outbox'
import type { Page } from './page.ts'

/** How often the time is looked at, in ms. */
const TICK_MS = 15_000
/** A tick that comes so much late means that the page was frozen or the device slept, in ms. */
const JUMP_MS = 15_000

/**
 * Tells a client what happens to its page.
 * @returns a function that ends it
 */
export function followPage(
  client: Pick<OutboxClient, 'pause' | 'resume' | 'wake'>,
  page: Page,
  platform: Pick<Platform, 'now' | 'setTimer'>,
): () => void {
  // Freezing and the back/forward cache overlap: what began first is ended by what comes first.
  let isAway = false
  const leave = (): void => {
    if (isAway) return
    isAway = true
    client.pause()
  }
  const comeBack = (): void => {
    if (!isAway) return
    isAway = false
    client.resume()
  }
  const ends = [
    page.onWindow('pagehide', leave),
    page.onWindow('pageshow', comeBack),
    page.onDocument('freeze', leave),
    page.onDocument('resume', comeBack),
    page.onWindow('online', () => client.wake()),
    page.onDocument('visibilitychange', () => {
      if (page.isVisible) client.wake()
    }),
    onTimeJump(page, platform, () => client.wake()),
  ]
  return () => {
    for (const end of ends.splice(0)) end()
  }
}

/** Some clocks stand still while the device sleeps, and the other one may be set by hand, so both are looked at. */
function onTimeJump(page: Page, platform: Pick<Platform, 'now' | 'setTimer'>, fn: () => void): () => void {
  let [now, epochMs] = [platform.now(), page.epochMs()]
  let cancel = (): void => {}
  const tick = (): void => {
    const passedMs = Math.max(platform.now() - now, page.epochMs() - epochMs)
    now = platform.now()
    epochMs = page.epochMs()
    cancel = platform.setTimer(tick, TICK_MS)
    if (passedMs > TICK_MS + JUMP_MS) fn()
  }
  cancel = platform.setTimer(tick, TICK_MS)
  return () => cancel()
}
