import { Device } from './browser/device.ts'
import type { Context } from './context.ts'
import type { SimulatedDisk } from './journal/index.ts'
import type { Network } from './network/network.ts'
import { BrokerNode } from './nodes/broker-node.ts'
import type { Node } from './nodes/node.ts'
import { ProducerNode } from './nodes/producer-node.ts'
import { StrangerNode } from './nodes/stranger-node.ts'
import { TabNode } from './nodes/tab-node.ts'
import { type RunCounts, WorkerNode } from './nodes/worker-node.ts'

/** All nodes of a world. Only producers and workers come and go while it runs. */
export class Population {
  readonly #context: Context
  readonly #network: Network
  readonly broker: BrokerNode
  readonly producers: ProducerNode[] = []
  readonly workers: WorkerNode[] = []
  readonly devices: Device[] = []
  readonly tabs: TabNode[] = []
  readonly strangers: StrangerNode[] = []
  readonly #byName = new Map<string, Node>()
  readonly #counts: RunCounts = { runs: 0, byWish: new Map() }
  readonly #watchesProgress: boolean

  constructor(context: Context, network: Network, disk: SimulatedDisk) {
    this.#context = context
    this.#network = network
    const { producers, workers, browsers = [], strangers = [] } = context.scenario
    this.#watchesProgress = workers.some(({ service }) =>
      Object.values(service).some(({ progressEveryMs }) => progressEveryMs !== undefined),
    )
    this.broker = this.#named(new BrokerNode(context, network, disk))
    for (const [at, { count }] of producers.entries()) for (let i = 0; i < count; i += 1) this.#addProducer(at)
    for (const [at, { count }] of workers.entries()) for (let i = 0; i < count; i += 1) this.#addWorker(at)
    for (const group of browsers) {
      for (let i = 0; i < group.count; i += 1) {
        const device = new Device(context, `browser-${this.devices.length + 1}`, group)
        this.devices.push(device)
        for (let tab = 0; tab < group.tabs; tab += 1) {
          const node = new TabNode(context, network, `tab-${this.tabs.length + 1}`, group, device)
          device.tabs.push(node)
          this.tabs.push(this.#named(node))
        }
      }
    }
    for (const group of strangers) {
      for (let i = 0; i < group.count; i += 1) {
        const name = `stranger-${this.strangers.length + 1}`
        this.strangers.push(this.#named(new StrangerNode(context, network, name, group)))
      }
    }
  }

  get nodes(): Node[] {
    return [this.broker, ...this.producers, ...this.workers, ...this.tabs, ...this.strangers]
  }

  /** Those who connect to the broker. */
  get clients(): Node[] {
    return [...this.producers, ...this.workers, ...this.tabs, ...this.strangers]
  }

  get byName(): ReadonlyMap<string, Node> {
    return this.#byName
  }

  /** Producers of this group that have not been removed. */
  producersOf(group: number): ProducerNode[] {
    return this.producers.filter((node) => node.group === this.#context.scenario.producers[group] && !node.isRetired)
  }

  workersOf(group: number): WorkerNode[] {
    return this.workers.filter((node) => node.group === this.#context.scenario.workers[group] && !node.isRetired)
  }

  /** New ones start at once. Those too many leave in good order, the newest first. */
  resizeProducers(group: number, count: number): void {
    const present = this.producersOf(group)
    for (const node of present.slice(count)) {
      node.quiet()
      node.leaveForGood()
    }
    for (let i = present.length; i < count; i += 1) {
      const node = this.#addProducer(group)
      node.start()
      node.vanishInTime()
    }
  }

  resizeWorkers(group: number, count: number): void {
    const present = this.workersOf(group)
    for (const node of present.slice(count)) node.leaveForGood()
    for (let i = present.length; i < count; i += 1) this.#addWorker(group).start()
  }

  #addProducer(at: number): ProducerNode {
    const group = this.#context.scenario.producers[at] as ProducerNode['group']
    const name = `producer-${this.producers.length + 1}`
    const node = new ProducerNode(this.#context, this.#network, name, group, this.#watchesProgress)
    this.producers.push(node)
    return this.#named(node)
  }

  #addWorker(at: number): WorkerNode {
    const group = this.#context.scenario.workers[at] as WorkerNode['group']
    const name = `worker-${this.workers.length + 1}`
    const node = new WorkerNode(this.#context, this.#network, name, group, this.#counts)
    this.workers.push(node)
    return this.#named(node)
  }

  #named<T extends Node>(node: T): T {
    this.#byName.set(node.name, node)
    return node
  }
}
