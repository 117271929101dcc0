import { createNoise, seeded } from './noise.ts'

/** Seeds of a sunflower, each at the golden angle from the one before (Vogel 1979), as SVG. */
export function sunflower(width: number, height: number): string {
  const golden = Math.PI * (3 - Math.sqrt(5))
  const parts: string[] = []
  const radius = Math.min(width, height) / 2
  for (let ring = 0; ring < 2; ring += 1) {
    for (let petal = 0; petal < 34; petal += 1) {
      const angle = ((petal + ring / 2) / 34) * 360
      const long = radius * (0.93 - ring * 0.07)
      parts.push(
        `<path d="M0,${-radius * 0.5} C${radius * 0.13},${-radius * 0.68} ${radius * 0.06},${-long * 0.95} 0,${-long} C${-radius * 0.06},${-long * 0.95} ${-radius * 0.13},${-radius * 0.68} 0,${-radius * 0.5}" fill="url(#petal${ring})" transform="rotate(${angle.toFixed(2)})"/>`,
      )
    }
  }
  parts.push(`<circle r="${radius * 0.57}" fill="#3a2210"/>`)
  for (let i = 1; i < 1100; i += 1) {
    const far = Math.sqrt(i / 1100)
    const x = Math.cos(i * golden) * far * radius * 0.56
    const y = Math.sin(i * golden) * far * radius * 0.56
    const lightness = 20 + far * 34 + (i % 8) * 1.2
    parts.push(
      `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="${(radius * (0.006 + far * 0.0065)).toFixed(2)}" fill="hsl(${(26 + far * 18).toFixed(0)},${(62 + far * 24).toFixed(0)}%,${lightness.toFixed(0)}%)"/>`,
    )
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><defs>
<radialGradient id="sky"><stop offset="0" stop-color="#7cc0e8"/><stop offset="1" stop-color="#1f5f95"/></radialGradient>
<linearGradient id="petal0" x1="0" y1="1" x2="0" y2="0"><stop offset="0" stop-color="#d4720c"/><stop offset="1" stop-color="#f6b21b"/></linearGradient>
<linearGradient id="petal1" x1="0" y1="1" x2="0" y2="0"><stop offset="0" stop-color="#e8890c"/><stop offset="1" stop-color="#ffd84a"/></linearGradient>
</defs><rect width="100%" height="100%" fill="url(#sky)"/><g transform="translate(${width / 2},${height / 2})">${parts.join('')}</g></svg>`
}

/** A harbour city at night: three rows of towers with lit windows, and their reflection, as SVG. */
export function skyline(seed: number, width: number, height: number): string {
  const random = seeded(seed)
  const shore = Math.round(height * 0.72)
  const rows = [
    { fill: '#2b2f5e', tall: 0.5, wide: 0.05, lit: 0.1 },
    { fill: '#1b1d42', tall: 0.42, wide: 0.06, lit: 0.3 },
    { fill: '#0d0f26', tall: 0.3, wide: 0.07, lit: 0.45 },
  ]
  const lamps = ['#ffd27a', '#ffe9b8', '#ff9d5c', '#9fe0ff']
  const parts: string[] = []
  for (const row of rows) {
    for (let x = -20; x < width; ) {
      const wide = Math.round(width * row.wide * (0.45 + random() * 0.9))
      const bump = Math.exp(-(((x / width - 0.58) / 0.3) ** 2))
      const tall = Math.round(height * row.tall * (0.3 + random() * 0.5 + bump * 0.55))
      const top = shore - tall
      parts.push(`<rect x="${x}" y="${top}" width="${wide}" height="${tall}" fill="${row.fill}"/>`)
      if (random() < 0.25) {
        parts.push(`<rect x="${x + wide / 2 - 2}" y="${top - 46}" width="4" height="46" fill="${row.fill}"/>`)
        parts.push(`<circle cx="${x + wide / 2}" cy="${top - 46}" r="4" fill="#ff5560"/>`)
      }
      for (let wy = top + 12; wy < shore - 10; wy += 16) {
        for (let wx = x + 8; wx < x + wide - 10; wx += 13) {
          if (random() < row.lit) {
            parts.push(
              `<rect x="${wx}" y="${wy}" width="6" height="8" fill="${lamps[Math.floor(random() ** 2 * 4)]}"/>`,
            )
          }
        }
      }
      x += wide + Math.round(random() * 8)
    }
  }
  const ripples = Array.from({ length: 46 }, (_, i) => {
    const y = shore + 4 + i * i * 0.145
    return `<rect x="0" y="${y.toFixed(1)}" width="${width}" height="${(1 + i * 0.09).toFixed(1)}" fill="#0a0c24" opacity="0.55"/>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="${width}" height="${height}"><defs>
<linearGradient id="dusk" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="#12123a"/><stop offset="0.45" stop-color="#4a2a6b"/><stop offset="0.75" stop-color="#c4527a"/><stop offset="1" stop-color="#ffb27a"/></linearGradient>
<g id="city">${parts.join('')}</g></defs>
<rect width="100%" height="${shore}" fill="url(#dusk)"/><circle cx="${width * 0.2}" cy="${height * 0.2}" r="${height * 0.06}" fill="#fff3d8"/>
<use xlink:href="#city"/><g transform="translate(0,${shore * 2}) scale(1,-1)"><rect width="100%" height="${shore}" fill="url(#dusk)"/><use xlink:href="#city"/></g>
<rect y="${shore}" width="100%" height="${height - shore}" fill="#141a4a" opacity="0.5"/>${ripples.join('')}</svg>`
}

/** Waves of hills cut from coloured paper, each sheet with its own shadow, as SVG. */
export function paperHills(seed: number, width: number, height: number, sheets: readonly string[]): string {
  const noise = createNoise(seed)
  const shapes = sheets.slice(1).map((fill, i) => {
    const points: string[] = []
    for (let x = 0; x <= width; x += 8) {
      const t = x / width
      const base = height * (0.26 + (i / (sheets.length - 1)) * 0.72)
      const lift = noise.fractal(t * (1.6 + i * 0.25) + i * 9, i * 3.7, 2) * height * 0.17
      points.push(`${x},${(base - lift).toFixed(1)}`)
    }
    return `<polygon points="0,${height} ${points.join(' ')} ${width},${height}" fill="${fill}" filter="url(#shadow)"/>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><defs>
<filter id="shadow" x="-5%" y="-15%" width="110%" height="130%"><feDropShadow dx="0" dy="-7" stdDeviation="9" flood-color="#000" flood-opacity="0.45"/></filter></defs>
<rect width="100%" height="100%" fill="${sheets[0]}"/><circle cx="${width * 0.68}" cy="${height * 0.24}" r="${height * 0.1}" fill="#fff6dc"/>${shapes.join('')}</svg>`
}

/** Barnsley's fern (1988): how often the chaos game visits each pixel, 0 – 1, row by row. */
export function fern(seed: number, width: number, height: number): Float32Array {
  const random = seeded(seed)
  const visits = new Float32Array(width * height)
  let x = 0
  let y = 0
  for (let i = 0; i < 9_000_000; i += 1) {
    const draw = random()
    const before = x
    if (draw < 0.01) {
      x = 0
      y = 0.16 * y
    } else if (draw < 0.86) {
      x = 0.85 * before + 0.04 * y
      y = -0.04 * before + 0.85 * y + 1.6
    } else if (draw < 0.93) {
      x = 0.2 * before - 0.26 * y
      y = 0.23 * before + 0.22 * y + 1.6
    } else {
      x = -0.15 * before + 0.28 * y
      y = 0.26 * before + 0.24 * y + 0.44
    }
    const column = Math.round(width * (0.47 + x * 0.094 * (height / width) * 0.94))
    const row = Math.round(height * (0.97 - y * 0.0935))
    if (column >= 0 && column < width && row >= 0 && row < height) {
      visits[row * width + column]! += 1
    }
  }
  return visits.map((count) => Math.min(1, Math.log1p(count) / 4.2))
}
