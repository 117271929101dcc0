import { type Picture, tileCount } from './picture.ts'
import type { TileState } from './picture-outbox.ts'
import { placeOf } from './places.ts'
import { colourOf } from './tab-name.ts'

/** The picture: a canvas, and above it a cover for each tile that shows where work is under way. */
export class Stage {
  readonly #canvas: HTMLCanvasElement
  readonly #grid: HTMLElement
  #covers: HTMLElement[] = []
  #run: string | undefined

  constructor(canvas: HTMLCanvasElement, grid: HTMLElement) {
    this.#canvas = canvas
    this.#grid = grid
  }

  /** Begins a picture, all tiles waiting. */
  begin(picture: Omit<Picture, 'run'> & { run?: string }): void {
    const { columns, rows, tilePx } = picture
    this.#run = picture.run
    this.#canvas.width = columns * tilePx
    this.#canvas.height = rows * tilePx
    this.#grid.style.setProperty('--columns', String(columns))
    this.#grid.style.setProperty('--rows', String(rows))
    this.#covers = Array.from({ length: columns * rows }, (_, tile) => {
      const cover = document.createElement('i')
      cover.style.setProperty('--shade', `${shadeOf(tile)}%`)
      return cover
    })
    this.#grid.replaceChildren(...this.#covers)
  }

  show(tile: number, state: TileState): void {
    const cover = this.#covers[tile]
    if (cover === undefined) return
    if (cover.dataset.state !== state.state) cover.dataset.state = state.state
    if (state.state === 'running' || state.state === 'done') cover.style.setProperty('--tab', colourOf(state.by))
    if (state.state === 'running') cover.style.setProperty('--done', `${state.done * 100}%`)
    if ('by' in state) cover.dataset.by = state.by
    else delete cover.dataset.by
  }

  async draw(picture: Picture, tile: number, png: Uint8Array): Promise<void> {
    const bitmap = await createImageBitmap(new Blob([png as Uint8Array<ArrayBuffer>], { type: 'image/png' }))
    if (picture.run !== this.#run) return
    const { columns, tilePx } = picture
    const context = this.#canvas.getContext('2d')
    context?.drawImage(bitmap, (tile % columns) * tilePx, Math.floor(tile / columns) * tilePx)
    bitmap.close()
  }

  describe(picture: Picture, done: number): void {
    const name = placeOf(picture.place)?.name ?? ''
    this.#canvas.setAttribute('aria-label', `${name}: ${done} of ${tileCount(picture)} tiles are rendered`)
  }

  /** Marks the tiles of one tab, or of none. */
  mark(by: string | undefined): void {
    for (const cover of this.#covers) cover.toggleAttribute('data-marked', by !== undefined && cover.dataset.by === by)
    this.#grid.toggleAttribute('data-marking', by !== undefined)
  }

  get blob(): Promise<Blob | null> {
    return new Promise((resolve) => this.#canvas.toBlob(resolve, 'image/png'))
  }
}

/** Waiting tiles differ a little, so that the empty picture is no flat area. */
function shadeOf(tile: number): number {
  let hash = Math.imul(tile + 1, 0x9e3779b1)
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b)
  return ((hash >>> 8) % 101) * 0.8
}
