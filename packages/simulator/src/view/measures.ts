import type { Fold, Seen } from './fold.ts'

export interface MeasuresView {
  atMs: number
}

export class MeasuresFold implements Fold<MeasuresView> {
  readonly size = 0
  see(_: Seen): void {}
  view(atMs: number): MeasuresView {
    return { atMs }
  }
  copy(): MeasuresFold {
    return this
  }
}
