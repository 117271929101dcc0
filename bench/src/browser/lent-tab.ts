import { type Client, createClient, createWorker, type TaskHandle, type Worker } from '@sluice/client'
import type { Page } from 'playwright'
import { until } from '../wait.ts'
import type { Chromium } from './chromium.ts'

const BEGIN_MS_MAX = 60_000

/** A page that lends its tab, and the programs beside it. */
export class LentTab implements AsyncDisposable {
  readonly page: Page
  readonly client: Client
  readonly #url: string
  #elsewhere: Worker | undefined

  private constructor(page: Page, url: string) {
    this.page = page
    this.#url = url
    this.client = createClient({ url })
  }

  /** @param isTold whether the page hears of being frozen and resumed */
  static async open(browser: Chromium, site: string, broker: string, isTold: boolean): Promise<LentTab> {
    const page = await browser.open(`${site}tab`)
    await page.evaluate(([url, told]) => window.tab.open(url, told), [broker, isTold] as const)
    return new LentTab(page, broker)
  }

  /** A task of so many ms that the tab has begun. */
  async begun(ms: number, leaseMs: number): Promise<TaskHandle<unknown>> {
    const task = await this.client.submit('wait', { ms }, { leaseMs, retry: { kind: 'fixed', delayMs: 0 } })
    await until(
      'the tab begins the task',
      async () => (await this.page.evaluate(() => window.tab.stats())).running === 1,
      BEGIN_MS_MAX,
    )
    return task
  }

  /** Another worker, which does the same at once. Resolves when it is there. */
  async workElsewhere(): Promise<void> {
    this.#elsewhere = createWorker({ url: this.#url, handlers: { wait: () => 'elsewhere' } })
    await this.#elsewhere.start()
  }

  async leaveElsewhere(): Promise<void> {
    await this.#elsewhere?.close()
    this.#elsewhere = undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.leaveElsewhere()
    await this.client.close()
  }
}
