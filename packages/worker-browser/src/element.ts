/**
 * Defines the element `<sluice-tab-worker>`, which shows a tab worker to the person and lets them decide.
 * @module @sluice/worker-browser/element
 */
import { ELEMENT_STYLE } from './element-style.ts'
import { type ElementWords, ENGLISH } from './element-words.ts'
import type { TabWorker } from './tab-worker.ts'
import { CPU_SHARE_MIN } from './tab-worker-options.ts'

export type { ElementWords } from './element-words.ts'

const NAME = 'sluice-tab-worker'

const ACTIONS = ['agree', 'start', 'pause', 'resume', 'stop', 'revoke'] as const
type Action = (typeof ACTIONS)[number]

/** A server has no elements, and never makes one. */
const Base = (globalThis.HTMLElement ?? class {}) as typeof HTMLElement

/**
 * Shows a tab worker: its state, the tasks done, the question for consent, and what the person may do. Set `worker`. The
 * attribute `state` follows the state. It neither makes nor closes the tab worker.
 *
 * Parts: `panel`, `head`, `heading`, `done`, `status`, `dot`, `state`, `question`, `share`, `slider`, `actions`, `button`.
 * Custom properties: `--sluice-text`, `-muted`, `-background`, `-border`, `-accent`, `-on-accent`, `-good`, `-warn`,
 * `-bad`, `-radius` and `-font`.
 */
export class TabWorkerElement extends Base {
  #worker: TabWorker | undefined
  #words: ElementWords = ENGLISH
  #forget: (() => void) | undefined
  #view: View | undefined

  /** The tab worker to show. */
  get worker(): TabWorker | undefined {
    return this.#worker
  }

  set worker(worker: TabWorker | undefined) {
    this.#forget?.()
    this.#forget = undefined
    this.#worker = worker
    if (this.isConnected) this.connectedCallback()
  }

  /** The texts that differ from the English ones. */
  set words(words: Partial<ElementWords>) {
    this.#words = { ...ENGLISH, ...words }
    this.#render()
  }

  connectedCallback(): void {
    this.#view ??= new View(this)
    this.#forget ??= this.#worker?.subscribe(() => this.#render())
    this.#render()
  }

  disconnectedCallback(): void {
    this.#forget?.()
    this.#forget = undefined
  }

  #render(): void {
    this.#view?.show(this.#worker, this.#words)
  }
}

/** The element's nodes. They are made once and changed only where something differs, so that focus and slider stay. */
class View {
  readonly #host: HTMLElement
  readonly #root: ShadowRoot
  readonly #panel = part('section', 'panel')
  readonly #heading = part('h2', 'heading')
  readonly #done = part('span', 'done')
  readonly #state = part('span', 'state')
  readonly #question = part('p', 'question')
  readonly #share = part('label', 'share')
  readonly #shareText = document.createElement('span')
  readonly #slider = part('input', 'slider')
  readonly #buttons: Readonly<Record<Action, HTMLButtonElement>> = {
    agree: button('main'),
    start: button('main'),
    pause: button(),
    resume: button('main'),
    stop: button(),
    revoke: button('quiet'),
  }
  #worker: TabWorker | undefined

  constructor(host: HTMLElement) {
    this.#host = host
    this.#root = host.attachShadow({ mode: 'open' })
    const sheet = new CSSStyleSheet()
    sheet.replaceSync(ELEMENT_STYLE)
    this.#root.adoptedStyleSheets = [sheet]
    this.#heading.id = 'heading'
    this.#panel.setAttribute('aria-labelledby', this.#heading.id)
    const head = part('div', 'head', this.#heading, this.#done)
    const status = part('p', 'status', part('span', 'dot'), this.#state)
    this.#state.setAttribute('aria-live', 'polite')
    Object.assign(this.#slider, { type: 'range', min: String(CPU_SHARE_MIN * 100), max: '100', step: '5' })
    this.#slider.addEventListener('input', () => this.#worker?.setCpuShare(this.#slider.valueAsNumber / 100))
    this.#share.append(this.#shareText, this.#slider)
    for (const action of ACTIONS) this.#buttons[action].addEventListener('click', () => this.#act(action))
    const actions = part('div', 'actions', ...Object.values(this.#buttons))
    this.#panel.append(head, status, this.#question, this.#share, actions)
    this.#root.append(this.#panel)
  }

  show(worker: TabWorker | undefined, words: ElementWords): void {
    this.#worker = worker
    this.#panel.hidden = worker === undefined
    if (worker === undefined) return
    const snapshot = worker.getSnapshot()
    const { state, stats, cpuShare } = snapshot
    if (this.#host.getAttribute('state') !== state) this.#host.setAttribute('state', state)
    text(this.#heading, words.heading)
    text(this.#done, words.done(stats.succeeded))
    // A person must not hear the same again, nor every task.
    text(this.#state, words.state(snapshot))
    text(this.#question, words.question)
    const percent = Math.round(cpuShare * 100)
    text(this.#shareText, words.share(percent))
    if (this.#slider.valueAsNumber !== percent) this.#slider.value = String(percent)
    const isPausedByOwner = snapshot.state === 'paused' && snapshot.pausedBy.includes('owner')
    const runs = state === 'connecting' || state === 'working' || state === 'paused'
    this.#question.hidden = state !== 'asking'
    this.#done.hidden = state === 'asking'
    this.#share.hidden = state === 'asking' || state === 'stopped' || state === 'draining'
    const shown = {
      agree: state === 'asking',
      start: state === 'off' || state === 'failed',
      pause: runs && !isPausedByOwner,
      resume: isPausedByOwner,
      stop: runs || state === 'draining',
      revoke: runs || state === 'off' || state === 'failed',
    }
    this.#showButtons(shown, words)
  }

  #showButtons(shown: Record<Action, boolean>, words: ElementWords): void {
    const focused = this.#root.activeElement
    for (const action of ACTIONS) {
      const node = this.#buttons[action]
      text(node, words[action])
      node.hidden = !shown[action]
    }
    // The button that was pressed is often the one that goes; a person at the keyboard must not start over.
    if (!(focused instanceof HTMLButtonElement && focused.hidden)) return
    const next = ACTIONS.find((action) => shown[action])
    if (next !== undefined) this.#buttons[next].focus()
  }

  #act(action: Action): void {
    const worker = this.#worker
    if (worker === undefined) return
    worker[action]()
    if (action === 'agree') worker.start()
  }
}

function part<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  partName: string,
  ...children: Node[]
): HTMLElementTagNameMap[Name] {
  const node = document.createElement(name)
  node.setAttribute('part', partName)
  node.append(...children)
  return node
}

function button(className = ''): HTMLButtonElement {
  const node = part('button', 'button')
  node.type = 'button'
  node.className = className
  return node
}

function text(node: HTMLElement, content: string): void {
  if (node.textContent !== content) node.textContent = content
}

declare global {
  interface HTMLElementTagNameMap {
    'sluice-tab-worker': TabWorkerElement
  }
}

if (globalThis.customElements !== undefined && globalThis.customElements.get(NAME) === undefined) {
  globalThis.customElements.define(NAME, TabWorkerElement)
}
