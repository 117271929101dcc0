import { packageBuild } from '../../build.config.ts'

// connection-worker.ts is an entry of its own: a page starts it by its file.
export default packageBuild({
  directory: import.meta.dirname,
  faces: ['index', 'handlers', 'element', 'connection-worker'],
  platform: 'neutral',
})
