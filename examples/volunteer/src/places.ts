/** A part of the plane that can be rendered, and how. */
export interface Place {
  /** As it stands in a task. */
  readonly id: string
  readonly name: string
  /** The centre of the picture. */
  readonly x: number
  readonly y: number
  /** What the picture's width measures in the plane. */
  readonly width: number
  /** A point that has not escaped after so many iterations counts as part of the set. */
  readonly iterationsMax: number
  /** How many times the palette repeats: once for each doubling of `log2(iterations)` times this. */
  readonly bands: number
  /** Where the palette begins, 0 – 1. */
  readonly phase: number
}

export const PLACES: readonly Place[] = [
  {
    id: 'seahorse-valley',
    name: 'Seahorse valley',
    x: -0.74364388,
    y: 0.13182592,
    width: 0.0021,
    iterationsMax: 2600,
    bands: 0.62,
    phase: 0.06,
  },
  {
    id: 'triple-spiral',
    name: 'Triple spiral',
    x: -0.0886,
    y: 0.6547,
    width: 0.0105,
    iterationsMax: 1800,
    bands: 0.6,
    phase: 0.3,
  },
  {
    id: 'elephant-valley',
    name: 'Elephant valley',
    x: 0.2869,
    y: 0.0142,
    width: 0.0125,
    iterationsMax: 2000,
    bands: 0.55,
    phase: 0.62,
  },
  {
    id: 'sceptre',
    name: 'Sceptre',
    x: -1.2556,
    y: 0.0241,
    width: 0.0085,
    iterationsMax: 2000,
    bands: 0.6,
    phase: 0.85,
  },
  {
    id: 'far-island',
    name: 'Far island',
    x: -1.768778833,
    y: -0.001738996,
    width: 0.0000068,
    iterationsMax: 3200,
    bands: 0.75,
    phase: 0.12,
  },
  {
    id: 'whole-set',
    name: 'The whole set',
    x: -0.7,
    y: 0,
    width: 3.7,
    iterationsMax: 1200,
    bands: 0.5,
    phase: 0.0,
  },
]

export const placeOf = (id: unknown): Place | undefined => PLACES.find((place) => place.id === id)
