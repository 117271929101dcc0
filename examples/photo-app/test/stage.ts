import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Broker, createBroker, signToken } from '@sluice/broker'
import { createWorker } from '@sluice/worker-node'
import chromium from '@sparticuz/chromium'
import { type Browser, type BrowserContext, chromium as browserType, type Locator, type Page } from 'playwright'
import { expect } from 'vitest'
import handlers from '../src/handlers.ts'
import { makeThumbnail } from '../src/thumbnail.ts'
import { type BuiltPage, builtPage, type PageServer, servePage } from './page-server.ts'

const photos = join(import.meta.dirname, '..', '..', 'photo-resize', 'photos')
const SECRET = 'a secret of thirty-two bytes or more, for photos'
/** A loaded machine may take long, and a failure is seen soon enough. */
const PATIENCE_MS = 25_000

export type Photo = { name: string; mimeType: string; buffer: Buffer }

/** One of the sample photos, under its own name or another one. */
export function photo(file: string, name = file): Photo {
  return { name, mimeType: 'image/jpeg', buffer: readFileSync(join(photos, file)) }
}

/** What all tests share, because it takes long to make. */
export interface Theatre {
  browser: Browser
  page: BuiltPage
}

export async function openTheatre(): Promise<Theatre> {
  const args = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking']
  const executablePath = await chromium.executablePath()
  const [browser, page] = await Promise.all([browserType.launch({ executablePath, args }), builtPage()])
  return { browser, page }
}

interface StageOptions {
  /** Whether the broker asks for tokens, which the server of the page hands out. */
  hasAccess?: boolean
  /** Whether a worker on Node runs. Default true. */
  hasWorker?: boolean
}

/** A broker, a worker on Node, the server of the page and a browser with a storage of its own, for one test. */
export class Stage implements AsyncDisposable {
  readonly #server: PageServer
  readonly #worker: ReturnType<typeof createWorker>
  readonly #hasAccess: boolean
  readonly #port: number
  #broker: Broker | undefined
  readonly context: BrowserContext

  private constructor(
    context: BrowserContext,
    server: PageServer,
    broker: Broker,
    { hasAccess, hasWorker }: StageOptions,
  ) {
    this.context = context
    this.#server = server
    this.#broker = broker
    this.#port = broker.port
    this.#hasAccess = hasAccess === true
    const options = this.#hasAccess ? { token: () => Stage.token('worker', 'work') } : {}
    this.#worker = createWorker({ url: broker.url, handlers, concurrency: 2, ...options, logger: silent })
    if (hasWorker !== false) this.#worker.start()
  }

  static async open({ browser, page }: Theatre, options: StageOptions = {}): Promise<Stage> {
    const { hasAccess = false } = options
    const token = hasAccess ? (user: string) => Stage.token(user, 'submit work') : undefined
    let url = ''
    const server = await servePage(page, () => url, token)
    const broker = await startBroker(server.origin, hasAccess)
    url = broker.url
    return new Stage(await browser.newContext(), server, broker, options)
  }

  static token(sub: string, scope: string): Promise<string> {
    return signToken(SECRET, { sub, scope }, 600_000)
  }

  async stopBroker(): Promise<void> {
    await this.#broker?.close()
    this.#broker = undefined
  }

  /** Starts another one at the same address. It knows nothing of the one before. */
  async startBroker(bodyBytesMax?: number): Promise<void> {
    this.#broker = await startBroker(this.#server.origin, this.#hasAccess, this.#port, bodyBytesMax)
  }

  /** Opens the app, and waits until it has read its storage. */
  async visit(): Promise<PhotoPage> {
    const page = await this.context.newPage()
    page.setDefaultTimeout(PATIENCE_MS)
    await page.goto(this.#server.url)
    const visited = new PhotoPage(page)
    await visited.button('Choose photos…').waitFor()
    return visited
  }

  async #ask(path: string): Promise<Response> {
    const headers = new Headers()
    if (this.#hasAccess) headers.set('authorization', `Bearer ${await Stage.token('operator', 'admin')}`)
    return fetch(`http://127.0.0.1:${this.#port}${path}`, { headers })
  }

  /** What the broker counts in the queue of the photos. */
  async counts(): Promise<{ succeeded: number; dead: number; ready: number; leased: number }> {
    const response = await this.#ask('/v1/queues')
    const { queues } = (await response.json()) as {
      queues: { name: string; succeeded: number; dead: number; ready: number; leased: number }[]
    }
    const found = queues.find(({ name }) => name === makeThumbnail.queue)
    return {
      succeeded: found?.succeeded ?? 0,
      dead: found?.dead ?? 0,
      ready: found?.ready ?? 0,
      leased: found?.leased ?? 0,
    }
  }

  /** The status of the broker's answer to a user who asks for a task. */
  async statusOfTask(id: string, user: string): Promise<number> {
    const headers = { authorization: `Bearer ${await Stage.token(user, 'submit')}` }
    return (await fetch(`http://127.0.0.1:${this.#port}/v1/tasks/${id}`, { headers })).status
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.context.close()
    await this.#worker.close()
    await this.#server.close()
    await this.stopBroker()
  }
}

function startBroker(origin: string, hasAccess: boolean, port = 0, bodyBytesMax?: number): Promise<Broker> {
  return createBroker({
    journal: { kind: 'memory' },
    port,
    ...(hasAccess ? { access: { secret: SECRET }, allowedOrigins: [origin] } : {}),
    ...(bodyBytesMax === undefined ? {} : { hosting: { limits: { bodyBytesMax } } }),
  })
}

/** Failures are part of these tests, and are looked at in the page. */
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

/** The app in one tab, as a person sees it. */
export class PhotoPage {
  readonly page: Page

  constructor(page: Page) {
    this.page = page
  }

  button(name: string | RegExp): Locator {
    return this.page.getByRole('button', { name, exact: true })
  }

  /** The photos that are in this state. */
  cards(state?: string): Locator {
    return this.page.locator(state === undefined ? '.card' : `.card[data-state="${state}"]`)
  }

  async cutNetwork(isCut: boolean): Promise<void> {
    await this.page.getByRole('switch').setChecked(isCut)
  }

  async choose(...files: Photo[]): Promise<void> {
    await this.page.locator('input[type=file]').setInputFiles(files)
  }

  /** Drops files on the page, as from the desktop. */
  async drop(files: readonly Photo[]): Promise<void> {
    const plain = files.map(({ name, mimeType, buffer }) => ({ name, mimeType, text: buffer.toString('base64') }))
    await this.page.evaluate((dropped) => {
      const dataTransfer = new DataTransfer()
      for (const { name, mimeType, text } of dropped) {
        const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
        dataTransfer.items.add(new File([bytes], name, { type: mimeType }))
      }
      document.body.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }))
    }, plain)
  }

  async shows(state: string, count: number): Promise<void> {
    await expect.poll(() => this.cards(state).count(), { timeout: PATIENCE_MS, interval: 30 }).toBe(count)
  }

  /** The number under a name at the top of the page. */
  async showsCount(name: string, count: number): Promise<void> {
    const value = this.page.locator('.counts > div').filter({ hasText: name }).locator('dd')
    await expect.poll(() => value.textContent(), { timeout: PATIENCE_MS, interval: 30 }).toBe(String(count))
  }

  async says(text: string | RegExp): Promise<void> {
    await this.page.getByText(text).first().waitFor()
  }

  /** Widths of the thumbnails that came back, in pixels. 0: it cannot be shown. */
  async thumbnailWidths(): Promise<number[]> {
    const images = this.page.locator('.card img[data-kind="thumbnail"]')
    return images.evaluateAll((all) =>
      Promise.all(
        all.map(async (image) => {
          await (image as HTMLImageElement).decode().catch(() => {})
          return (image as HTMLImageElement).naturalWidth
        }),
      ),
    )
  }

  async signOut(choice: RegExp): Promise<void> {
    await this.button('Sign out').click()
    await this.page.getByRole('dialog').getByRole('button', { name: choice }).click()
  }
}
