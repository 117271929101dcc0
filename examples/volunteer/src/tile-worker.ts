import { handle, PermanentError, serveHandlers } from '@sluice/worker-browser/handlers'
import { type Area, renderArea } from './fractal.ts'
import { placeOf } from './places.ts'
import { pngOf } from './png.ts'
import { checkedTile, renderTile, type TileInput } from './tile-task.ts'

/** What this Worker tells its page, so that a tab that did not submit a picture shows what it renders. */
export type TileReport =
  | { kind: 'begun'; tile: TileInput }
  | { kind: 'rendered'; tile: TileInput; png: Uint8Array<ArrayBuffer> }

/** How long to compute before the Worker looks whether it should stop, in ms. */
const TURN_MS = 40
/** A report for each tenth is enough for people to see it move. */
const REPORTS = 10

/** The page names its Workers after the tab. */
const by = self.name

const tell = (report: TileReport): void => self.postMessage(report)

serveHandlers([
  handle(renderTile, async (input, ctx) => {
    // Anybody may submit, and a tab computes nothing but tiles of a sane size.
    const tile = checkedTile(input)
    const place = placeOf(tile?.place)
    if (tile === undefined || place === undefined) throw new PermanentError('this is no tile of a picture')
    const { columns, rows, tilePx } = tile
    tell({ kind: 'begun', tile })
    ctx.progress({ by, done: 0 })
    const area: Area = {
      x: (tile.tile % columns) * tilePx,
      y: Math.floor(tile.tile / columns) * tilePx,
      width: tilePx,
      height: tilePx,
    }
    const rendering = renderArea(place, { width: columns * tilePx, height: rows * tilePx }, area)
    let turnEndsMs = performance.now() + TURN_MS
    let reported = 0
    for (;;) {
      const step = rendering.next()
      if (step.done) {
        const png = await pngOf(step.value, tilePx, tilePx, by)
        ctx.signal.throwIfAborted()
        tell({ kind: 'rendered', tile, png })
        return png
      }
      if (performance.now() < turnEndsMs) continue
      const tenths = Math.floor(step.value * REPORTS)
      if (tenths > reported) ctx.progress({ by, done: tenths / REPORTS })
      reported = tenths
      await nextTurn()
      ctx.signal.throwIfAborted()
      turnEndsMs = performance.now() + TURN_MS
    }
  }),
])

/** Lets messages in. A timer would wait longer than that. */
function nextTurn(): Promise<void> {
  const { port1, port2 } = new MessageChannel()
  return new Promise((resolve) => {
    port1.onmessage = () => {
      port1.close()
      resolve()
    }
    port2.postMessage(undefined)
  })
}
