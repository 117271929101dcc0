import { computed, type ReadonlySignal, type Signal, signal } from '@preact/signals'
import type { Player } from './player.ts'

/** Several players that show the same instant. The one whose world is slowest is waited for. */
export class Together {
  readonly players: readonly Player[]
  readonly isPlaying: Signal<boolean> = signal(false)
  readonly atMs: ReadonlySignal<number>
  readonly untilMs: number
  readonly speed: Signal<number>

  constructor(players: readonly Player[], options: { untilMs: number; speed: number }) {
    this.players = players
    this.untilMs = Math.min(options.untilMs, ...players.map(({ untilMs }) => untilMs.value))
    this.speed = signal(options.speed)
    this.atMs = computed(() => Math.min(...players.map(({ atMs }) => atMs.value)))
  }

  get hasEnded(): boolean {
    return this.atMs.value >= this.untilMs
  }

  play(): void {
    if (this.hasEnded) this.seek(0)
    this.isPlaying.value = true
  }

  pause(): void {
    this.isPlaying.value = false
  }

  toggle(): void {
    if (this.isPlaying.value) this.pause()
    else this.play()
  }

  seek(atMs: number): void {
    for (const player of this.players) player.seek(atMs)
  }

  /** A frame of the screen has passed. */
  frame(ms: number): void {
    if (!this.isPlaying.value || this.players.some(({ isBusy }) => isBusy)) return
    const atMs = this.atMs.value
    if (atMs >= this.untilMs) this.pause()
    else this.seek(Math.min(this.untilMs, atMs + Math.min(ms, 1200) * this.speed.value))
  }

  end(): void {
    this.pause()
    for (const player of this.players) player.end()
  }
}
