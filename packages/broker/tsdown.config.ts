import { packageBuild } from '../../build.config.ts'

// The journal's threads are entries of their own: they are loaded by their files.
export default packageBuild({
  directory: import.meta.dirname,
  faces: ['index', 'config/index', 'core/index', 'journal/sqlite-reader', 'journal/sqlite-writer'],
  platform: 'node',
})
