/**
 * Rows of numbers that are only added to. Copies share what they have in common, so that a copy costs nothing; where one
 * goes on differently from the others, it takes its own.
 */
export class Rows {
  readonly width: number
  #cells: number[]
  #length = 0

  constructor(width: number, cells: number[] = []) {
    this.width = width
    this.#cells = cells
    this.#length = cells.length / width
  }

  get length(): number {
    return this.#length
  }

  copy(): Rows {
    const copy = new Rows(this.width, this.#cells)
    copy.#length = this.#length
    return copy
  }

  add(row: readonly number[]): void {
    const at = this.#length * this.width
    if (at < this.#cells.length && !row.every((value, column) => Object.is(value, this.#cells[at + column])))
      this.#cells = this.#cells.slice(0, at)
    if (at >= this.#cells.length) for (const value of row) this.#cells.push(value)
    this.#length += 1
  }

  cell(row: number, column: number): number {
    return this.#cells[row * this.width + column] as number
  }

  row(at: number): number[] {
    return this.#cells.slice(at * this.width, (at + 1) * this.width)
  }

  /** The cells of the first rows, one row after the other. */
  cells(rows: number): number[] {
    return this.#cells.slice(0, rows * this.width)
  }

  /** The first row whose cell in this column is greater than the value. The column must ascend. */
  after(value: number, column: number): number {
    let low = 0
    let high = this.#length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.cell(middle, column) <= value) low = middle + 1
      else high = middle
    }
    return low
  }
}
