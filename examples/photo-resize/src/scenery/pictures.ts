import { fern, paperHills, skyline, sunflower } from './drawing.ts'
import { julia, mandelbrot, newton } from './fractal.ts'
import { canyon, dunes, forest, meadow, mirrored, mountains, sea } from './land.ts'
import { createNoise } from './noise.ts'
import { light, mix, ramp, rgb, type Scene } from './raster.ts'
import { aurora, milkyWay, moon, nebula, planet } from './space.ts'
import { agate, bokeh, caustics, islands, marble, pebbles, silk, stainedGlass, wood } from './texture.ts'

/** One picture of the folder, in its upright orientation. */
export interface Picture {
  file: string
  width: number
  height: number
  /** JPEG quality; absent for PNG, which is stored with a palette. */
  quality?: number
  /** EXIF orientation the file is stored with; the pixels are turned the other way. */
  orientation?: 3 | 6 | 8
  source: { scene: Scene } | { svg: string }
}

const ramps = (...colours: string[]) => ramp(...colours.map(rgb))

const alps = mountains(11, {
  sky: ramps('#3f7fc4', '#8fb9e0', '#f3d9c0'),
  far: rgb('#9fb3cf'),
  near: rgb('#24384a'),
  haze: rgb('#dcd8de'),
  sun: null,
  cloud: [255, 250, 246],
  layers: 5,
  rough: 1.45,
})

function fernScene(width: number, height: number): Scene {
  const visits = fern(5, width, height)
  const noise = createNoise(9)
  const leaf = ramps('#0f3d1e', '#2f8a3a', '#9ad65a', '#f2ffc0')
  const green = new Float64Array(3)
  return (x, y, out) => {
    out.set([244, 238, 222])
    light(out, [-46, -40, -26], noise.fractal(x * 3, y * 3, 6) * 0.4 + Math.hypot(x - 0.4, y - 0.5) * 0.5)
    const value = visits[Math.floor(y * height) * width + Math.min(width - 1, Math.floor(x * height))]!
    if (value > 0) {
      leaf.paint(value * 0.9, green)
      mix(out, [green[0]!, green[1]!, green[2]!], Math.min(1, value * 2.4))
    }
  }
}

const twelveMegapixels = { width: 4000, height: 3000 }

export function pictures(): Picture[] {
  return [
    { file: 'desert-dunes.jpg', ...twelveMegapixels, quality: 62, source: { scene: dunes(21) } },
    {
      file: 'misty-ridges.jpg',
      ...twelveMegapixels,
      quality: 58,
      source: {
        scene: mountains(4, {
          sky: ramps('#3b4a7a', '#9a86a8', '#f2b48c', '#ffe2b8'),
          far: rgb('#d8a79a'),
          near: rgb('#1b2236'),
          haze: rgb('#f0c4a8'),
          sun: { x: 0.44, y: 0.37, radius: 0.03, colour: [255, 214, 150], glow: 0.5 },
          cloud: [255, 206, 178],
          layers: 7,
          rough: 1,
        }),
      },
    },
    {
      file: 'ocean-sunset.jpg',
      ...twelveMegapixels,
      quality: 56,
      source: {
        scene: sea(31, {
          sky: ramps('#22285e', '#6a3f7c', '#d8606a', '#ffad5c', '#ffe09a'),
          water: ramps('#e58a62', '#8a4a72', '#3a2c66', '#121a44'),
          sun: { x: 0.72, y: 0.44, radius: 0.042, colour: [255, 190, 110], glow: 0.6 },
          cloud: [255, 140, 110],
          horizon: 0.54,
        }),
      },
    },
    {
      file: 'seahorse-valley.jpg',
      ...twelveMegapixels,
      quality: 52,
      source: {
        scene: mandelbrot(
          { re: -0.7436, im: 0.1318, span: 0.0085, aspect: 4 / 3, iterations: 900 },
          ramps('#06102e', '#1b4f9c', '#7fd0e8', '#fff6d6', '#f2a33a', '#8c2f1a', '#1c0a1c'),
          0.21,
          [4, 4, 12],
        ),
      },
    },
    { file: 'canyon-walls.jpg', ...twelveMegapixels, quality: 50, source: { scene: canyon(8) } },
    {
      file: 'harbour-lights.jpg',
      ...twelveMegapixels,
      quality: 66,
      source: {
        scene: bokeh(12, 4 / 3, ramps('#0a1030', '#26285c', '#5c3a66', '#20203e', '#080a1c'), [
          [255, 170, 80],
          [255, 90, 70],
          [255, 220, 150],
          [90, 190, 255],
          [255, 110, 180],
          [120, 255, 200],
        ]),
      },
    },
    { file: 'milky-way.jpg', width: 3000, height: 4000, quality: 50, orientation: 6, source: { scene: milkyWay(17) } },
    {
      file: 'alpine-lake.jpg',
      width: 2400,
      height: 1600,
      quality: 62,
      source: { scene: mirrored(alps, 3, 0.6, rgb('#2b4f66')) },
    },
    {
      file: 'rose-nebula.jpg',
      width: 1800,
      height: 1800,
      quality: 62,
      source: {
        scene: nebula(
          23,
          ramps('#05040f', '#1f1038', '#6b1f5c', '#d4486a', '#ffa88a', '#fff0d8'),
          [255, 150, 120],
          2.1,
          [0.55, 0.48],
        ),
      },
    },
    {
      file: 'teal-nebula.jpg',
      width: 1500,
      height: 2100,
      quality: 60,
      source: {
        scene: nebula(
          64,
          ramps('#02060f', '#06263c', '#0f6a78', '#4fc0a8', '#e8e09a', '#fff8e0'),
          [70, 150, 190],
          1.7,
          [0.3, 0.42],
        ),
      },
    },
    { file: 'aurora.jpg', width: 2400, height: 1600, quality: 62, source: { scene: aurora(41) } },
    { file: 'full-moon.jpg', width: 1700, height: 1700, quality: 60, source: { scene: moon(6) } },
    { file: 'ringed-planet.jpg', width: 2400, height: 1600, quality: 62, source: { scene: planet(28) } },
    {
      file: 'violet-julia.jpg',
      width: 2000,
      height: 1500,
      quality: 58,
      source: {
        scene: julia(
          { re: 0, im: 0, span: 2.1, aspect: 4 / 3, iterations: 500 },
          [-0.7269, 0.1889],
          ramps('#120a2e', '#4b2a9c', '#b06ae0', '#ffd6f2', '#fff4d8'),
          0.28,
          [10, 4, 24],
        ),
      },
    },
    {
      file: 'golden-julia.jpg',
      width: 1600,
      height: 2200,
      quality: 56,
      orientation: 8,
      source: {
        scene: julia(
          { re: 0, im: 0, span: 2.5, aspect: 1600 / 2200, iterations: 400 },
          [0.285, 0.01],
          ramps('#0a0610', '#5c1f0c', '#c9781c', '#ffe08a', '#fffdf0'),
          0.33,
          [20, 8, 6],
        ),
      },
    },
    {
      file: 'newton-roots.jpg',
      width: 2000,
      height: 1500,
      quality: 60,
      source: {
        scene: newton(
          { re: 0, im: 0, span: 2.2, aspect: 4 / 3, iterations: 60 },
          ['#e4572e', '#f3a712', '#29335c', '#669bbc', '#a8c686'].map(rgb),
        ),
      },
    },
    {
      file: 'white-marble.jpg',
      width: 2000,
      height: 1400,
      quality: 60,
      source: { scene: marble(14, ramps('#c9ccd2', '#e9e8e6', '#fbfaf7', '#dcdad8'), rgb('#5f6670'), 1.9) },
    },
    {
      file: 'green-marble.jpg',
      width: 1400,
      height: 2000,
      quality: 56,
      source: { scene: marble(37, ramps('#04231c', '#0c4a38', '#1f7a5a', '#0a3a30', '#3fa07a'), rgb('#d8e8d0'), 1.6) },
    },
    {
      file: 'oak-boards.jpg',
      width: 2100,
      height: 1400,
      quality: 54,
      orientation: 3,
      source: { scene: wood(19, ramps('#5a3317', '#8f5a2a', '#c08a4a', '#e0b678')) },
    },
    {
      file: 'blue-agate.jpg',
      width: 1700,
      height: 1700,
      quality: 60,
      source: {
        scene: agate(53, ramps('#0c2f5c', '#2a6fa8', '#8fc4e0', '#f4f4ee', '#c9a06a', '#5c88b0'), [0.52, 0.47]),
      },
    },
    {
      file: 'crimson-silk.jpg',
      width: 2400,
      height: 1600,
      quality: 66,
      source: { scene: silk(72, ramps('#1c0210', '#6b0a24', '#c4203a', '#ff7a6a', '#ffe0d0'), 1.25) },
    },
    {
      file: 'pool-light.jpg',
      width: 2000,
      height: 1500,
      quality: 58,
      source: { scene: caustics(33, ramps('#0a6a8c', '#18a0b4', '#3fc8c4', '#1684a0')) },
    },
    {
      file: 'river-pebbles.jpg',
      width: 2100,
      height: 1400,
      quality: 54,
      source: {
        scene: pebbles(45, ['#8a8f94', '#b8aa94', '#6a6f78', '#a0765a', '#d8d0c0', '#54606a', '#94866e'].map(rgb)),
      },
    },
    {
      file: 'foggy-spruces.jpg',
      width: 1700,
      height: 2400,
      quality: 60,
      source: {
        scene: forest(26, {
          sky: ramps('#b8c8cc', '#dfe6e2', '#f2ead8', '#d8dcd4'),
          near: rgb('#12261f'),
          fog: rgb('#d3dcd8'),
        }),
      },
    },
    {
      file: 'lavender-hills.jpg',
      width: 3200,
      height: 1300,
      quality: 58,
      source: {
        scene: meadow(58, {
          sky: ramps('#3f8ad0', '#9cc8ea', '#f0f4ee'),
          grass: ramps('#16401c', '#3f7a2c', '#86b23f', '#d8dc7a'),
          flower: rgb('#7a4fb0'),
          cloud: [255, 255, 255],
        }),
      },
    },
    { file: 'pressed-fern.jpg', width: 1300, height: 1900, quality: 60, source: { scene: fernScene(1300, 1900) } },
    { file: 'island-chart.png', width: 1700, height: 1200, source: { scene: islands(15) } },
    {
      file: 'stained-glass.png',
      width: 1200,
      height: 1700,
      source: {
        scene: stainedGlass(
          20,
          ['#123a7a', '#1f6fb4', '#2fa0a0', '#f2b632', '#e4702a', '#b8243a', '#6a1f5c'].map(rgb),
          13,
        ),
      },
    },
    { file: 'city-at-dusk.png', width: 2000, height: 1200, source: { svg: skyline(10, 2000, 1200) } },
    { file: 'sunflower.png', width: 1700, height: 1700, source: { svg: sunflower(1700, 1700) } },
    {
      file: 'paper-hills.png',
      width: 1800,
      height: 1200,
      source: {
        svg: paperHills(2, 1800, 1200, [
          '#ffd9a8',
          '#f7b58a',
          '#ee8f7c',
          '#d66a7c',
          '#a84d7e',
          '#743c78',
          '#452c64',
          '#241c48',
        ]),
      },
    },
  ]
}
