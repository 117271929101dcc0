import { inflateSync } from 'node:zlib'
import { isTaskId } from '@sluice/protocol'
import { expect, test } from 'vitest'
import { type Picture, tileId } from '../src/picture.ts'
import { authorOf, pngOf } from '../src/png.ts'
import { TileCount } from '../src/tally.ts'
import { checkedTile } from '../src/tile-task.ts'

const picture: Picture = {
  run: '01890a5d-ac96-774b-bcce-b302099a8057',
  place: 'whole-set',
  columns: 4,
  rows: 3,
  tilePx: 16,
}

test('each tile of a picture has an id of its own, which every tab can tell', () => {
  const ids = Array.from({ length: 640 }, (_, tile) => tileId(picture, tile))
  expect(new Set(ids).size).toBe(640)
  expect(ids.every(isTaskId)).toBe(true)
  expect(ids[0]).toBe('01890a5d-ac96-7000-bcce-b302099a8057')
})

test.each([
  ['a tile that the picture does not have', { tile: 12 }],
  ['a negative tile', { tile: -1 }],
  ['half a tile', { tile: 0.5 }],
  ['an unknown place', { place: 'nowhere' }],
  ['a place of every object', { place: 'constructor' }],
  ['a tile that would take hours', { tilePx: 100_000 }],
  ['too many columns', { columns: 1000 }],
  ['a run that is no id', { run: 'x' }],
])('a tab refuses %s', (_, wrong) => {
  expect(checkedTile({ ...picture, tile: 11 })).toEqual({ ...picture, tile: 11 })
  expect(checkedTile({ ...picture, tile: 11, ...wrong })).toBeUndefined()
})

test.each([[undefined], [null], ['tile'], [[]]])('a tab refuses %j as a tile', (input) => {
  expect(checkedTile(input)).toBeUndefined()
})

/** The pixels of a PNG that `pngOf` made, read without it. */
function pixelsOf(png: Uint8Array, width: number, height: number): number[] {
  const view = Buffer.from(png)
  const at = view.indexOf('IDAT')
  const rows = inflateSync(view.subarray(at + 4, at + 4 + view.readUInt32BE(at - 4)))
  const pixels: number[] = []
  for (let row = 0; row < height; row += 1) {
    const start = row * (width * 3 + 1)
    expect(rows[start]).toBe(1)
    for (let byte = 0; byte < width * 3; byte += 1) {
      const left = byte < 3 ? 0 : pixels[row * width * 3 + byte - 3]!
      pixels.push((rows[start + 1 + byte]! + left) & 255)
    }
  }
  return pixels
}

test('a PNG holds exactly the pixels, and who made it', async () => {
  const rgba = Uint8ClampedArray.from({ length: 5 * 3 * 4 }, (_, at) => (at % 4 === 3 ? 255 : (at * 77) % 256))
  const png = await pngOf(rgba, 5, 3, 'Teal Otter')
  expect(pixelsOf(png, 5, 3)).toEqual([...rgba].filter((_, at) => at % 4 !== 3))
  expect(authorOf(png)).toBe('Teal Otter')
})

test('bytes that are no PNG have no author, and end the search', () => {
  expect(authorOf(new Uint8Array(40))).toBeUndefined()
  expect(authorOf(new Uint8Array())).toBeUndefined()
})

test('tiles are counted by state and by tab, and the rate is that of the last minute', () => {
  let nowMs = 0
  const count = new TileCount(6, () => nowMs)
  expect(count.tally).toMatchObject({ waiting: 6, perMinute: undefined })
  count.set(0, { state: 'running', by: 'Teal Otter', done: 0.5 })
  nowMs = 30_000
  for (const tile of [1, 2, 3]) {
    count.set(tile, { state: 'done', by: 'Rose Fox' })
    count.rendered()
  }
  count.set(4, { state: 'failed', reason: 'x' })
  expect(count.tally).toEqual({
    total: 6,
    waiting: 1,
    running: 1,
    done: 3,
    failed: 1,
    tabs: [
      { name: 'Rose Fox', tiles: 3, isBusy: false },
      { name: 'Teal Otter', tiles: 0, isBusy: true },
    ],
    perMinute: 6,
  })
  nowMs = 95_000
  expect(count.tally.perMinute).toBe(0)
})
