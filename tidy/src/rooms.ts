/**
 * Who may import whom, and who may touch the platform: the one place where both are written down.
 * A room is a workspace directory; its `imports` are package names (any public face of it) or single faces.
 */
export interface Room {
  directory: string
  name: string
  imports: readonly string[]
  /** What its tests may import besides, as dev dependencies. */
  testImports?: readonly string[]
}

const faces = ['@sluice/client', '@sluice/worker-node', '@sluice/broker', '@sluice/protocol', '@sluice/engine']

export const rooms: readonly Room[] = [
  { directory: 'packages/protocol', name: '@sluice/protocol', imports: [] },
  { directory: 'packages/engine', name: '@sluice/engine', imports: ['@sluice/protocol'] },
  { directory: 'packages/machines', name: '@sluice/machines', imports: ['@sluice/protocol', '@sluice/engine'] },
  { directory: 'packages/client', name: '@sluice/client', imports: ['@sluice/protocol', '@sluice/machines'] },
  {
    directory: 'packages/worker-node',
    name: '@sluice/worker-node',
    imports: ['@sluice/protocol', '@sluice/machines', '@sluice/client'],
  },
  {
    directory: 'packages/client-browser',
    name: '@sluice/client-browser',
    imports: ['@sluice/protocol', '@sluice/client'],
    testImports: ['@sluice/broker'],
  },
  {
    directory: 'packages/worker-browser',
    name: '@sluice/worker-browser',
    imports: ['@sluice/protocol', '@sluice/machines', '@sluice/client'],
    testImports: ['@sluice/broker'],
  },
  {
    directory: 'packages/broker',
    name: '@sluice/broker',
    imports: ['@sluice/protocol', '@sluice/engine', '@sluice/machines'],
  },
  {
    directory: 'packages/cli',
    name: 'sluice',
    imports: ['@sluice/protocol', '@sluice/client', '@sluice/worker-node', '@sluice/broker'],
  },
  {
    directory: 'packages/testing',
    name: '@sluice/testing',
    imports: ['@sluice/protocol', '@sluice/engine', '@sluice/machines', '@sluice/client', '@sluice/broker/core'],
  },
  {
    directory: 'packages/world',
    name: '@sluice/world',
    imports: [
      '@sluice/protocol',
      '@sluice/engine',
      '@sluice/machines',
      '@sluice/client',
      '@sluice/broker/core',
      '@sluice/broker/journal-contract',
      '@sluice/testing',
    ],
  },
  {
    directory: 'packages/simulator',
    name: '@sluice/simulator',
    imports: [
      '@sluice/engine',
      '@sluice/machines',
      '@sluice/world',
      '@sluice/world/fuzz',
      '@sluice/world/phenomena',
      '@sluice/world/trace',
    ],
    testImports: ['@sluice/world/checkers'],
  },
  { directory: 'examples/photo-resize', name: '@sluice/example-photo-resize', imports: faces },
  { directory: 'examples/raw-client', name: '@sluice/example-raw-client', imports: faces },
  { directory: 'examples/pages', name: '@sluice/example-pages', imports: ['@sluice/broker'] },
  {
    directory: 'examples/photo-app',
    name: '@sluice/example-photo-app',
    imports: ['@sluice/client', '@sluice/client-browser', '@sluice/worker-browser'],
    testImports: ['@sluice/broker', '@sluice/worker-node'],
  },
  {
    directory: 'examples/volunteer',
    name: '@sluice/example-volunteer',
    imports: [
      '@sluice/client',
      '@sluice/client-browser',
      '@sluice/worker-browser',
      '@sluice/worker-browser/element',
      '@sluice/worker-browser/handlers',
      '@sluice/protocol',
      '@sluice/protocol/uuidv7',
    ],
    testImports: ['@sluice/broker'],
  },
  {
    directory: 'bench',
    name: '@sluice/bench',
    imports: [...faces, '@sluice/client-browser', '@sluice/worker-browser'],
  },
]

/** Nothing in these reads a clock, a random source, a socket or a disk by itself. */
export const neutralDirectories: readonly string[] = [
  'packages/protocol/src/',
  'packages/engine/src/',
  'packages/machines/src/',
  'packages/client/src/',
  'packages/client-browser/src/',
  'packages/worker-browser/src/',
  'packages/broker/src/core/',
  'packages/broker/src/journal/',
  'packages/testing/src/',
  'packages/world/src/',
]

/** The files inside a neutral directory that are there to touch the platform. */
export const leafFiles: readonly string[] = [
  'packages/client/src/platform.ts',
  'packages/client-browser/src/page.ts',
  'packages/client-browser/src/register-sync.ts',
  'packages/client-browser/src/service-worker/service-worker-drain.ts',
  'packages/client-browser/src/store/factory.ts',
  'packages/client-browser/src/tab-group.ts',
  'packages/worker-browser/src/browser-device.ts',
  'packages/worker-browser/src/connection-worker-file.ts',
  'packages/worker-browser/src/connection-worker.ts',
  'packages/worker-browser/src/element.ts',
  'packages/worker-browser/src/handler-workers.ts',
  'packages/worker-browser/src/handlers.ts',
  'packages/broker/src/journal/batch-reader.ts',
  'packages/broker/src/journal/batch-writer.ts',
  'packages/broker/src/journal/checksum.ts',
  'packages/broker/src/journal/end-mark.ts',
  'packages/broker/src/journal/inbox.ts',
  'packages/broker/src/journal/journal-thread.ts',
  'packages/broker/src/journal/sqlite-copy.ts',
  'packages/broker/src/journal/sqlite-inspection.ts',
  'packages/broker/src/journal/refusal-of-opening.ts',
  'packages/broker/src/journal/sqlite-place.ts',
  'packages/broker/src/journal/sqlite-reader.ts',
  'packages/broker/src/journal/sqlite-writer.ts',
  'packages/broker/src/journal/sqlite.ts',
  'packages/broker/src/journal/thread-files.ts',
  'packages/testing/src/platform.ts',
  'packages/world/src/fuzz/arguments.ts',
  'packages/world/src/fuzz/campaign.ts',
  'packages/world/src/fuzz/main.ts',
  'packages/world/src/fuzz/pinned.ts',
  'packages/world/src/fuzz/pool.ts',
  'packages/world/src/fuzz/progress-bar.ts',
  'packages/world/src/fuzz/thread.ts',
  'packages/world/src/mutants/plant.ts',
  'packages/world/src/mutants/sources.ts',
]
