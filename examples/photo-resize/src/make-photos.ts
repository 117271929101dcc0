/**
 * Draws the pictures in photos/, each from a formula and a fixed seed, so that the example carries nobody else's photos.
 * Run it only to change them: `node src/make-photos.ts [NAME…]`, then look at every picture.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import sharp from 'sharp'
import { type Picture, pictures } from './scenery/pictures.ts'
import { render } from './scenery/raster.ts'

const folder = join(import.meta.dirname, '..', 'photos')
/** What a viewer turns by to show a file of this orientation; the pixels are stored turned back. */
const turns = { 3: 180, 6: 90, 8: 270 } as const

async function draw(picture: Picture): Promise<Buffer> {
  const { width, height, source } = picture
  const image =
    'svg' in source
      ? sharp(Buffer.from(source.svg))
      : sharp(render(source.scene, width, height), { raw: { width, height, channels: 3 } })
  if (picture.quality === undefined) {
    return image.removeAlpha().png({ palette: true, colours: 200, dither: 0.6, effort: 8 }).toBuffer()
  }
  const upright = picture.orientation === undefined ? image : image.rotate(360 - turns[picture.orientation])
  return upright
    .jpeg({ quality: picture.quality, mozjpeg: true })
    .withMetadata(picture.orientation === undefined ? {} : { orientation: picture.orientation })
    .toBuffer()
}

const wanted = process.argv.slice(2)
await mkdir(folder, { recursive: true })
let total = 0
for (const picture of pictures()) {
  if (wanted.length > 0 && !wanted.some((name) => picture.file.startsWith(name))) {
    continue
  }
  const startedMs = performance.now()
  const bytes = await draw(picture)
  await writeFile(join(folder, picture.file), bytes)
  total += bytes.length
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1)
  console.log(
    `${picture.file.padEnd(24)} ${picture.width}×${picture.height} ${Math.ceil(bytes.length / 1024)} KB ${seconds} s`,
  )
}
if (wanted.length === 0) {
  // A download that broke off: the header is there, most of the picture is not.
  const whole = await readFile(join(folder, 'alpine-lake.jpg'))
  await writeFile(join(folder, 'broken.jpg'), whole.subarray(0, 24 * 1024))
  console.log(`broken.jpg, and ${Math.ceil(total / 1024)} KB in all`)
}
