import type { Fold, Seen } from './fold.ts'

export interface ChartsView {
  atMs: number
}

export class ChartsFold implements Fold<ChartsView> {
  readonly size = 0
  see(_: Seen): void {}
  view(atMs: number): ChartsView {
    return { atMs }
  }
  copy(): ChartsFold {
    return this
  }
}
