import { packageBuild } from '../../build.config.ts'

// thread.ts is an entry of its own: threads load it by its file.
export default packageBuild({ directory: import.meta.dirname, faces: ['index', 'thread'], platform: 'node' })
