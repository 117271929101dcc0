import { defineConfig } from 'vite'

export default defineConfig({
  // The built page works from any path, also from a folder.
  base: './',
  worker: { format: 'es' },
  build: { target: 'es2024' },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
})
