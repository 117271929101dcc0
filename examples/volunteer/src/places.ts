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
  /** How often the palette repeats each time the number of iterations doubles. */
  readonly bands: number
  /** Where the palette begins, 0 – 1. */
  readonly phase: number
}

export const PLACES: readonly Place[] = [
  {
    id: 'hidden-island',
    name: 'Hidden island',
    x: -0.743644786,
    y: 0.1318252536,
    width: 0.0000175,
    iterationsMax: 3000,
    bands: 0.6,
    phase: 0.1,
  },
  {
    id: 'seahorse-valley',
    name: 'Seahorse valley',
    x: -0.743517833,
    y: 0.127094578,
    width: 0.0039,
    iterationsMax: 2000,
    bands: 0.6,
    phase: 0.9,
  },
  {
    id: 'elephants-trunk',
    name: 'Elephant’s trunk',
    x: 0.293,
    y: 0.015,
    width: 0.0072,
    iterationsMax: 1800,
    bands: 0.6,
    phase: 0.62,
  },
  {
    id: 'sceptres',
    name: 'Sceptres',
    x: -1.2532,
    y: 0.0245,
    width: 0.0036,
    iterationsMax: 1800,
    bands: 0.6,
    phase: 0.85,
  },
  {
    id: 'spiral-coast',
    name: 'Spiral coast',
    x: -0.7463,
    y: 0.1102,
    width: 0.005,
    iterationsMax: 1800,
    bands: 0.6,
    phase: 0.3,
  },
  {
    id: 'whole-set',
    name: 'The whole set',
    x: -0.7,
    y: 0,
    width: 3.9,
    iterationsMax: 1500,
    bands: 0.42,
    phase: -0.02,
  },
]

export const placeOf = (id: unknown): Place | undefined => PLACES.find((place) => place.id === id)
