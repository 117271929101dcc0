import type { Place } from './places.ts'
import { colourOf } from './tab-name.ts'
import type { Tally } from './tally.ts'

/** What the beside-column shows, and what it asks for. */
export interface RailOptions {
  places: readonly Place[]
  /** The name of this tab. */
  name: string
  /** Another place was picked. */
  onPick: () => void
  /** Somebody asks which tiles a tab has made. */
  onMark: (by: string | undefined) => void
}

/** The places, the counts and the tabs beside the picture. Nodes are kept, so that focus and pointer stay. */
export class Rail {
  readonly #options: RailOptions
  readonly #chips: HTMLElement
  readonly #rows = new Map<string, HTMLLIElement>()
  readonly #parts = new Map<string, HTMLElement>()

  constructor(options: RailOptions) {
    this.#options = options
    this.#chips = byId('chips')
    this.#chips.append(...options.places.map((place, index) => chip(place, index === 0)))
    this.#chips.addEventListener('change', options.onPick)
  }

  get picked(): string {
    return this.#chips.querySelector<HTMLInputElement>('input:checked')?.value ?? this.#options.places[0]!.id
  }

  pick(place: string): void {
    for (const input of this.#chips.querySelectorAll('input')) input.checked = input.value === place
  }

  show({ total, waiting, running, done, tabs, perMinute }: Tally): void {
    text(byId('waiting'), String(waiting))
    text(byId('running'), String(running))
    text(byId('done'), String(done))
    text(byId('rate'), perMinute === undefined ? '–' : String(perMinute))
    byId('nobody').hidden = tabs.length > 0
    this.#showTabs(tabs)
    this.#showStrip(tabs, total)
  }

  #showTabs(tabs: Tally['tabs']): void {
    const list = byId('tabs')
    const names = new Set(tabs.map(({ name }) => name))
    for (const [name, row] of this.#rows) {
      if (names.has(name)) continue
      row.remove()
      this.#rows.delete(name)
    }
    tabs.forEach(({ name, tiles, isBusy }, index) => {
      let row = this.#rows.get(name)
      if (row === undefined) {
        row = this.#newRow(name)
        this.#rows.set(name, row)
      }
      row.toggleAttribute('data-busy', isBusy)
      text(row.lastElementChild!, String(tiles))
      if (list.children[index] !== row) list.insertBefore(row, list.children[index] ?? null)
    })
  }

  #newRow(name: string): HTMLLIElement {
    const row = document.createElement('li')
    row.dataset.tab = name
    row.style.setProperty('--tab', colourOf(name))
    const label = document.createElement('span')
    label.textContent = name
    if (name === this.#options.name)
      label.append(Object.assign(document.createElement('small'), { textContent: 'this tab' }))
    row.append(label, document.createElement('b'))
    row.addEventListener('pointerenter', () => this.#options.onMark(name))
    row.addEventListener('pointerleave', () => this.#options.onMark(undefined))
    return row
  }

  #showStrip(tabs: Tally['tabs'], total: number): void {
    const strip = byId('strip')
    const names = new Set(tabs.map(({ name }) => name))
    for (const [name, part] of this.#parts) {
      if (names.has(name)) continue
      part.remove()
      this.#parts.delete(name)
    }
    for (const { name, tiles } of tabs) {
      let part = this.#parts.get(name)
      if (part === undefined) {
        part = document.createElement('i')
        part.style.setProperty('--tab', colourOf(name))
        this.#parts.set(name, part)
        strip.append(part)
      }
      part.style.setProperty('--share', String(tiles / total))
    }
  }
}

function chip({ id, name }: Place, isFirst: boolean): HTMLLabelElement {
  const label = document.createElement('label')
  const input = document.createElement('input')
  Object.assign(input, { type: 'radio', name: 'place', value: id, checked: isFirst })
  label.append(input, name)
  return label
}

function byId(id: string): HTMLElement {
  const node = document.getElementById(id)
  if (node === null) throw new Error(`the page has no element ${id}`)
  return node
}

/** Writes only what differs, so that nothing is announced or laid out again. */
function text(node: Element, content: string): void {
  if (node.textContent !== content) node.textContent = content
}
