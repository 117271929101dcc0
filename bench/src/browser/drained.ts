import type { Page } from 'playwright'
import { until } from '../wait.ts'

const EVERY_MS = 100

/** Resolves when everything in the outbox of a page has its outcome. */
export async function drained(page: Page, limitMs: number): Promise<void> {
  await until(
    'everything in the outbox has its outcome',
    async () => {
      const { saved, sending, accepted, done } = await page.evaluate(() => window.trial.counts())
      return saved! + sending! + accepted! === 0 && done! > 0
    },
    limitMs,
    EVERY_MS,
  )
}
