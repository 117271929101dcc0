import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { renderArea } from '../src/fractal.ts'
import { PLACES, type Place } from '../src/places.ts'

const SIZE = { width: 32, height: 20 }

function rendered(place: Place, area = { x: 0, y: 0, ...SIZE }): Uint8ClampedArray {
  const rendering = renderArea(place, SIZE, area)
  for (;;) {
    const step = rendering.next()
    if (step.done) return step.value
  }
}

const colours = (pixels: Uint8ClampedArray) =>
  new Set(Array.from({ length: pixels.length / 4 }, (_, pixel) => pixels.subarray(pixel * 4, pixel * 4 + 3).join()))

test.each(PLACES.map((place) => [place.id, place] as const))('%s has many colours, and no hole', (_, place) => {
  const pixels = rendered(place)
  expect(colours(pixels).size).toBeGreaterThan(200)
  expect(pixels.filter((_, at) => at % 4 === 3).every((alpha) => alpha === 255)).toBe(true)
})

test('tiles put together are the picture that is rendered at once, byte for byte', () => {
  const [place] = PLACES as [Place]
  const whole = rendered(place)
  const together = new Uint8ClampedArray(whole.length)
  const [width, height] = [8, 5]
  for (let y = 0; y < SIZE.height; y += height)
    for (let x = 0; x < SIZE.width; x += width) {
      const tile = rendered(place, { x, y, width, height })
      for (let row = 0; row < height; row += 1)
        together.set(tile.subarray(row * width * 4, (row + 1) * width * 4), ((y + row) * SIZE.width + x) * 4)
    }
  const hash = (pixels: Uint8ClampedArray) => createHash('sha256').update(pixels).digest('hex')
  expect(hash(together)).toBe(hash(whole))
})

test('the set is black, and the far outside is not', () => {
  const whole = PLACES.find(({ id }) => id === 'whole-set')!
  const pixels = rendered(whole)
  const at = (x: number, y: number) => [...pixels.subarray((y * SIZE.width + x) * 4, (y * SIZE.width + x) * 4 + 3)]
  expect(at(19, 10)).toEqual([0, 0, 0])
  expect(Math.max(...at(0, 0))).toBeGreaterThan(40)
})

test('it says after each row how much is done', () => {
  const shares = [...renderArea(PLACES[0]!, SIZE, { x: 0, y: 0, width: 4, height: 4 })]
  expect(shares).toEqual([0.25, 0.5, 0.75, 1])
})
