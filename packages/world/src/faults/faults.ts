import type { Device } from '../browser/device.ts'
import type { Context } from '../context.ts'
import type { BROWSER_FAULT_TYPES, Fault, TimedFault } from '../fault.ts'
import type { SimulatedDisk } from '../journal/index.ts'
import type { Network } from '../network/network.ts'
import type { BrokerNode } from '../nodes/broker-node.ts'
import type { Node } from '../nodes/node.ts'
import type { TabNode } from '../nodes/tab-node.ts'

export interface FaultTargets {
  broker: BrokerNode
  /** By name, including the broker. */
  nodes: ReadonlyMap<string, Node>
  tabs: ReadonlyMap<string, TabNode>
  devices: ReadonlyMap<string, Device>
  network: Network
  disk: SimulatedDisk
}

type BrowserFaultType = (typeof BROWSER_FAULT_TYPES)[number]

/** Undoes a fault when its time is over, or earlier. */
type Undo = (isEarly: boolean) => void

interface Lasting {
  number: number
  end: Undo
  cancel: () => void
}

/** Starts faults when their time has come, and ends them. */
export class Faults {
  readonly #context: Context
  readonly #targets: FaultTargets
  readonly #happened: TimedFault[] = []
  readonly #lasting = new Set<Lasting>()
  #cancelNext: () => void = () => {}
  #fullDisks = 0
  #isOver = false

  constructor(context: Context, targets: FaultTargets) {
    this.#context = context
    this.#targets = targets
  }

  /** Faults that found something to harm. */
  get happened(): readonly TimedFault[] {
    return this.#happened
  }

  /** @param faults in the order of their times */
  schedule(faults: readonly TimedFault[], from = 0): void {
    const next = faults[from]
    if (next === undefined || this.#isOver) return
    const { clock } = this.#context
    this.#cancelNext = clock.setTimer(() => {
      this.#begin(next)
      this.schedule(faults, from + 1)
    }, next.atMs - clock.nowMs)
  }

  /** Ends every fault and starts no more. */
  endAll(): void {
    this.#isOver = true
    this.#cancelNext()
    for (const lasting of [...this.#lasting]) this.#end(lasting, true)
  }

  /** Begins now, if it finds something to harm. */
  begin(fault: Fault): boolean {
    const before = this.#happened.length
    this.#begin({ atMs: this.#context.clock.nowMs, fault })
    return this.#happened.length > before
  }

  #begin(timed: TimedFault): void {
    const { clock, observe } = this.#context
    const number = this.#happened.length + 1
    const started = { type: 'faultStarted', fault: timed.fault, number } as const
    // Its effects are observed after it, so the fault is told first, and only if it will find something to harm.
    if (!this.#hasTarget(timed.fault)) return
    this.#happened.push(timed)
    observe(started)
    const end = this.#apply(timed.fault)
    const lastsMs = 'forMs' in timed.fault ? timed.fault.forMs : undefined
    const lasting: Lasting = { number, end, cancel: () => {} }
    this.#lasting.add(lasting)
    if (lastsMs !== undefined) {
      lasting.cancel = clock.setTimer(() => this.#end(lasting), lastsMs)
    } else if ('restartAfterMs' in timed.fault) {
      const node = this.#nodeOf(timed.fault)
      // It may have been asked to leave and still be there.
      const { process } = node
      const ended = (): void => {
        if (this.#lasting.has(lasting)) node.onceUp(() => this.#end(lasting))
      }
      if (process) node.onceDown(ended)
      else ended()
    } else if (timed.fault.type === 'failingDisk') {
      this.#targets.broker.onceDown(() => this.#targets.broker.onceUp(() => this.#end(lasting)))
    } else {
      this.#end(lasting)
    }
  }

  #end(lasting: Lasting, isEarly = false): void {
    if (!this.#lasting.delete(lasting)) return
    lasting.cancel()
    lasting.end(isEarly)
    this.#context.observe({ type: 'faultEnded', number: lasting.number })
  }

  #nodeOf(fault: Fault): Node {
    return this.#targets.nodes.get('node' in fault ? fault.node : 'broker') as Node
  }

  #hasTarget(fault: Fault): boolean {
    const { devices } = this.#targets
    switch (fault.type) {
      case 'hide':
        return this.#hasTab(fault.node)
      case 'deviceCrash':
        return devices.get(fault.node)?.isOff === false
      case 'storeFailure':
        return devices.has(fault.node)
      default:
        return this.#hasNode(fault)
    }
  }

  #hasTab(name: string): boolean {
    const tab = this.#targets.tabs.get(name)
    return tab?.isUp === true && !tab.isLeaving
  }

  #hasNode(fault: Exclude<Fault, { type: BrowserFaultType }>): boolean {
    const node = this.#targets.nodes.get('node' in fault ? fault.node : 'broker')
    if (!node) return false
    switch (fault.type) {
      case 'crash':
      case 'pause':
      case 'failingDisk':
      case 'powerLoss':
        return node.isUp
      case 'restart':
        return node.isUp && !node.isLeaving
      case 'reset':
      case 'halfOpen':
        return this.#targets.network.isConnected(fault.node)
      default:
        return true
    }
  }

  #apply(fault: Fault): Undo {
    const { network, disk, broker } = this.#targets
    const node = this.#nodeOf(fault)
    switch (fault.type) {
      case 'crash':
        node.crash(fault.restartAfterMs)
        return () => node.comeBack()
      case 'restart':
        node.restart(fault.restartAfterMs)
        return () => node.comeBack()
      case 'powerLoss': {
        // A machine without power answers nothing, not even a connection attempt.
        const back = network.partition('broker')
        node.crash(fault.restartAfterMs, { isSilent: true })
        disk.losePower()
        broker.onceUp(back)
        return () => node.comeBack()
      }
      case 'pause':
        node.pause(fault.forMs)
        // The node goes on by itself when the last of its pauses is over.
        return (isEarly) => isEarly && node.resume()
      case 'slow':
        node.slowDown(fault.byMs)
        return () => node.slowDown(-fault.byMs)
      case 'clockJump':
        node.clockOffsetMs += fault.byMs
        return () => {}
      case 'reset':
        network.reset(fault.node)
        return () => {}
      case 'halfOpen':
        network.halfOpen(fault.node)
        return () => {}
      case 'partition':
        return network.partition(fault.node)
      case 'slowReader':
        return network.stall(fault.node, fault.everyMs)
      case 'delay':
        return network.delay(fault.node, fault.byMs)
      case 'slowDisk':
        disk.slowByMs += fault.byMs
        return () => {
          disk.slowByMs -= fault.byMs
        }
      case 'failingDisk':
        disk.fail()
        return () => disk.mend()
      case 'fullDisk':
        this.#fullDisks += 1
        disk.isFull = true
        return () => {
          this.#fullDisks -= 1
          disk.isFull = this.#fullDisks > 0
        }
      case 'hide':
        return (this.#targets.tabs.get(fault.node) as TabNode).hide(fault.forMs)
      case 'deviceCrash':
        return (this.#targets.devices.get(fault.node) as Device).losePower(fault.forMs)
      case 'storeFailure':
        return (this.#targets.devices.get(fault.node) as Device).storage.trouble(fault.how)
    }
  }
}
