interface Call<In, Out> {
  input: In
  resolve: (output: Out) => void
  reject: (error: unknown) => void
}

/**
 * Collects calls into transactions, one at a time. What arrives during a transaction goes with the next one, so many
 * calls share the cost of one.
 */
export class Batcher<In, Out> {
  readonly #sizeMax: number
  readonly #run: (inputs: readonly In[]) => Promise<readonly Out[]>
  #waiting: Call<In, Out>[] = []
  #isBusy = false

  /** @param run does all of it or nothing, and gives one output for each input */
  constructor(sizeMax: number, run: (inputs: readonly In[]) => Promise<readonly Out[]>) {
    this.#sizeMax = sizeMax
    this.#run = run
  }

  add(input: In): Promise<Out> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ input, resolve, reject })
      if (this.#isBusy) return
      this.#isBusy = true
      // Calls of the same turn go together.
      void Promise.resolve().then(() => this.#runAll())
    })
  }

  async #runAll(): Promise<void> {
    while (this.#waiting.length > 0) await this.#runSome(this.#waiting.splice(0, this.#sizeMax))
    this.#isBusy = false
  }

  async #runSome(calls: readonly Call<In, Out>[]): Promise<void> {
    let outputs: readonly Out[]
    try {
      outputs = await this.#run(calls.map(({ input }) => input))
    } catch (error) {
      // One call may be the cause, such as an item that is too large for what is left. The others go without it.
      if (calls.length === 1) calls[0]!.reject(error)
      else {
        const half = calls.length >> 1
        await this.#runSome(calls.slice(0, half))
        await this.#runSome(calls.slice(half))
      }
      return
    }
    for (const [index, { resolve }] of calls.entries()) resolve(outputs[index]!)
  }
}
